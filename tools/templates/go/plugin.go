// @NAME@: a plugin for the TFTP server tftpkit. It answers hello.txt and declines every other name.
// about.c beside this file says what it is called and which settings it has; README.md says how to go on.
package main

import "C"

import (
	"errors"

	"@IDENT@/tftpkit"
)

type hello struct {
	line string
}

// create reads and checks the settings; the error is told to the operator.
func create(host tftpkit.Host) (tftpkit.Plugin, error) {
	greeting := host.Setting("/greeting")
	if greeting == "" {
		return nil, errors.New("/greeting is empty: give the line to be shown")
	}
	return &hello{greeting + "\n"}, nil
}

// Open says which bytes answer a request. It is called from several threads at once.
func (self *hello) Open(request *tftpkit.Request) (tftpkit.Answer, error) {
	if request.Path != "hello.txt" {
		return tftpkit.Answer{}, tftpkit.ErrDeclined
	}
	return tftpkit.Text(self.line), nil
}

func init() { tftpkit.Serve(create) }

func main() {}
