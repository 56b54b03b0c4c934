#!/bin/sh
# What @NAME@ answers, without a network. TFTPKIT: the tftpkit to use.
set -eu
: "${TFTPKIT:=tftpkit}"
plugin=./@NAME@.so

# expect TEXT ARGUMENT...: the plugin answers these arguments with this line
expect() {
  wanted=$1
  shift
  got=$("$TFTPKIT" plugins fetch "$plugin" "$@")
  [ "$got" = "$wanted" ] || { echo "FAILED: $*: got \"$got\", expected \"$wanted\""; exit 1; }
}

expect 'Hello from @NAME@!' hello.txt
expect 'Good morning' hello.txt --set '{"greeting": "Good morning"}'
if "$TFTPKIT" plugins fetch "$plugin" another/name 2>/dev/null; then
  echo "FAILED: another/name was answered"
  exit 1
fi
if "$TFTPKIT" plugins fetch "$plugin" hello.txt --set '{"greeting": ""}' 2>/dev/null; then
  echo "FAILED: an empty greeting was taken"
  exit 1
fi
echo "@NAME@: all tests passed"
