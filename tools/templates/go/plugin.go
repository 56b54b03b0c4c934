// @NAME@: a plugin for the TFTP server tftpkit. It answers hello.txt and declines every other name.
// plugin.c beside this file is the border to <tftpkit/plugin.h>; README.md says how to go on.
package main

import (
	"errors"
	"sync"
)

// instance is one configured use of the plugin.
type instance struct {
	line []byte
}

// create reads and checks the settings; the error is told to the operator.
func create(host host) (*instance, error) {
	greeting := host.setting("/greeting")
	if greeting == "" {
		return nil, errors.New("/greeting is empty: give the line to be shown")
	}
	return &instance{line: []byte(greeting + "\n")}, nil
}

// open says which bytes answer a name; errDeclined means "not mine". It is called from several threads at once.
func (self *instance) open(path string) ([]byte, error) {
	if path != "hello.txt" {
		return nil, errDeclined
	}
	return self.line, nil
}

var errDeclined = errors.New("declined")

// C holds no Go pointers: instances are known to it by number.
var (
	instances sync.Map // uintptr -> *instance
	last      uintptr
	lastMutex sync.Mutex
)

func remember(made *instance) uintptr {
	lastMutex.Lock()
	defer lastMutex.Unlock()
	last++
	instances.Store(last, made)
	return last
}

func main() {}
