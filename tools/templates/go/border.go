// The functions that plugin.c calls. Belongs to your project: change it as you like. Panics stop here and fail the
// request. cgo copies what lies in C memory, and C frees it in close().
package main

// #include <stdlib.h>
// #include <tftpkit/plugin.h>
//
// static inline const char *setting_of(const tftpkit_host *host, const char *pointer, size_t *length) {
//   tftpkit_str value = {NULL, 0};
//   if (!host->setting(host, pointer, &value)) return NULL;
//   *length = value.len;
//   return value.ptr;
// }
// static inline void explain_to(const tftpkit_host *host, const char *text, size_t length) {
//   host->explain(host, text, length);
// }
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// host is what the server offers to one instance.
type host struct {
	table *C.tftpkit_host
}

// setting reads one setting by JSON pointer; "" when there is none.
func (h host) setting(pointer string) string {
	name := C.CString(pointer)
	defer C.free(unsafe.Pointer(name))
	var length C.size_t
	value := C.setting_of(h.table, name, &length)
	if value == nil {
		return ""
	}
	return C.GoStringN(value, C.int(length))
}

func (h host) explain(why string) {
	text := C.CString(why)
	defer C.free(unsafe.Pointer(text))
	C.explain_to(h.table, text, C.size_t(len(why)))
}

// stopped runs body and turns its error or panic into a status and an explanation.
func stopped(h host, body func() error) (status C.tftpkit_status) {
	defer func() {
		if panicked := recover(); panicked != nil {
			h.explain(fmt.Sprint(panicked))
			status = C.TFTPKIT_E_INTERNAL
		}
	}()
	switch err := body(); {
	case err == nil:
		return C.TFTPKIT_OK
	case errors.Is(err, errDeclined):
		return C.TFTPKIT_DECLINED
	default:
		h.explain(err.Error())
		return C.TFTPKIT_E_INTERNAL
	}
}

//export goCreate
func goCreate(table *C.tftpkit_host, number *C.uintptr_t) C.tftpkit_status {
	h := host{table}
	return stopped(h, func() error {
		made, err := create(h)
		if err == nil {
			*number = C.uintptr_t(remember(made))
		}
		return err
	})
}

//export goDestroy
func goDestroy(number C.uintptr_t) {
	instances.Delete(uintptr(number))
}

//export goOpen
func goOpen(table *C.tftpkit_host, number C.uintptr_t, path *C.char, length C.size_t, data *unsafe.Pointer,
	size *C.size_t) C.tftpkit_status {
	return stopped(host{table}, func() error {
		self, found := instances.Load(uintptr(number))
		if !found {
			return errors.New("there is no such instance")
		}
		content, err := self.(*instance).open(C.GoStringN(path, C.int(length)))
		if err == nil {
			*data = C.CBytes(content)
			*size = C.size_t(len(content))
		}
		return err
	})
}
