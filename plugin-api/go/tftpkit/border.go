package tftpkit

// #include "border.h"
import "C"

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"syscall"
	"unsafe"
)

var maker func(host Host) (Plugin, error)

// Host is what the server offers to one instance, from any goroutine.
type Host struct {
	table *C.tftpkit_host
}

// Setting reads one setting by JSON pointer, such as "/greeting"; "" when there is none.
func (h Host) Setting(pointer string) string {
	name := C.CString(pointer)
	defer C.free(unsafe.Pointer(name))
	value := C.tftpkit_go_setting(h.table, name)
	return text(value)
}

// SettingInt reads whole numbers, sizes in bytes, durations in milliseconds.
func (h Host) SettingInt(pointer string) (int64, bool) {
	name := C.CString(pointer)
	defer C.free(unsafe.Pointer(name))
	var value C.int64_t
	found := C.tftpkit_go_setting_int(h.table, name, &value)
	return int64(value), found != 0
}

// SettingCount tells how many elements an array has, or members an object.
func (h Host) SettingCount(pointer string) int {
	name := C.CString(pointer)
	defer C.free(unsafe.Pointer(name))
	return int(C.tftpkit_go_setting_count(h.table, name))
}

// Log writes one line to the server's log.
func (h Host) Log(level Level, line string) {
	text := C.CString(line)
	defer C.free(unsafe.Pointer(text))
	C.tftpkit_go_log(h.table, C.uint32_t(level), text, C.size_t(len(line)))
}

// Cancelled tells whether this request was given up.
func (h Host) Cancelled(request uint64) bool {
	return C.tftpkit_go_cancelled(h.table, C.uint64_t(request)) != 0
}

func (h Host) explain(why string) {
	text := C.CString(why)
	defer C.free(unsafe.Pointer(text))
	C.tftpkit_go_explain(h.table, text, C.size_t(len(why)))
}

// numbers are what C knows Go's values by.
type numbers struct {
	values sync.Map
	mutex  sync.Mutex
	last   uintptr
}

func (n *numbers) keep(value any) C.uintptr_t {
	n.mutex.Lock()
	n.last++
	number := n.last
	n.mutex.Unlock()
	n.values.Store(number, value)
	return C.uintptr_t(number)
}

func (n *numbers) of(number C.uintptr_t) any {
	value, _ := n.values.Load(uintptr(number))
	return value
}

func (n *numbers) drop(number C.uintptr_t) any {
	value, _ := n.values.LoadAndDelete(uintptr(number))
	return value
}

type instance struct {
	host   Host
	plugin Plugin
}

var (
	instances numbers // *instance
	readers   numbers // io.Reader
)

func text(s C.tftpkit_str) string {
	return C.GoStringN(s.ptr, C.int(s.len))
}

func address(a *C.tftpkit_addr) netip.AddrPort {
	bytes := *(*[16]byte)(unsafe.Pointer(&a.bytes))
	switch a.family {
	case 4:
		return netip.AddrPortFrom(netip.AddrFrom4(*(*[4]byte)(bytes[:4])), uint16(a.port))
	case 6:
		return netip.AddrPortFrom(netip.AddrFrom16(bytes), uint16(a.port))
	}
	return netip.AddrPort{}
}

func copied(r *C.tftpkit_request) *Request {
	request := &Request{
		ID:         uint64(r.id),
		Path:       text(r.path),
		WirePath:   text(r.wire_path),
		Peer:       address(&r.peer),
		Local:      address(&r.local),
		Netascii:   r.mode == C.TFTPKIT_MODE_NETASCII,
		Blksize:    uint32(r.blksize),
		Windowsize: uint32(r.windowsize),
		Options:    make(map[string]string, r.option_count),
	}
	for _, option := range unsafe.Slice(r.options, r.option_count) {
		if name := text(option.name); request.Options[name] == "" {
			request.Options[name] = text(option.value)
		}
	}
	return request
}

// guarded runs body; a panic becomes an error.
func guarded(body func() (Answer, error)) (answer Answer, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = Fail(Internal, fmt.Sprint(panicked))
		}
	}()
	return body()
}

// status of an error, and its words.
func status(err error, otherwise Status) (C.tftpkit_status, string) {
	var failure *Failure
	switch {
	case err == nil:
		return C.TFTPKIT_OK, ""
	case errors.Is(err, ErrDeclined):
		return C.TFTPKIT_DECLINED, ""
	case errors.As(err, &failure):
		return C.tftpkit_status(failure.Status), failure.Why
	}
	return C.tftpkit_status(otherwise), err.Error()
}

// put moves an answer into a source. What belongs to the transfer is freed by C.
func put(answer Answer, source *C.tftpkit_source) error {
	switch answer.kind {
	case kindBytes:
		C.tftpkit_go_bytes(source, C.CBytes(answer.bytes), C.size_t(len(answer.bytes)))
	case kindRedirect:
		C.tftpkit_go_redirect(source, C.CString(answer.redirect))
	case kindStream:
		size := C.uint64_t(C.TFTPKIT_SIZE_UNKNOWN)
		if answer.size >= 0 {
			size = C.uint64_t(answer.size)
		}
		C.tftpkit_go_stream(source, size, readers.keep(answer.reader))
	case kindFile:
		defer answer.file.Close()
		seen, err := answer.file.Stat()
		if err != nil {
			return err
		}
		fd, _, failed := syscall.Syscall(syscall.SYS_FCNTL, answer.file.Fd(), syscall.F_DUPFD_CLOEXEC, 0)
		if failed != 0 {
			return failed
		}
		C.tftpkit_go_file(source, C.int(fd), C.uint64_t(seen.Size()))
	default:
		return Fail(Internal, "a late answer cannot be Later")
	}
	return nil
}

//export tftpkitGoCreate
func tftpkitGoCreate(table *C.tftpkit_host, number *C.uintptr_t) C.tftpkit_status {
	made := &instance{host: Host{table}}
	_, err := guarded(func() (Answer, error) {
		if maker == nil {
			return Answer{}, errors.New("the plugin has not called tftpkit.Serve()")
		}
		plugin, err := maker(made.host)
		made.plugin = plugin
		return Answer{}, err
	})
	if err != nil {
		failed, why := status(err, Internal)
		made.host.explain(why)
		return failed
	}
	*number = instances.keep(made)
	return C.TFTPKIT_OK
}

//export tftpkitGoDestroy
func tftpkitGoDestroy(number C.uintptr_t) {
	made := instances.drop(number).(*instance)
	if closer, ok := made.plugin.(io.Closer); ok {
		_, err := guarded(func() (Answer, error) { return Answer{}, closer.Close() })
		if err != nil {
			made.host.Log(Warning, err.Error())
		}
	}
}

//export tftpkitGoOpen
func tftpkitGoOpen(number C.uintptr_t, request *C.tftpkit_request, source *C.tftpkit_source) C.tftpkit_status {
	made := instances.of(number).(*instance)
	answer, err := guarded(func() (Answer, error) { return made.plugin.Open(copied(request)) })
	if err == nil && answer.kind == kindLater {
		go complete(made.host, request.id, answer.later)
		return C.TFTPKIT_PENDING
	}
	if err == nil {
		err = put(answer, source)
	}
	result, why := status(err, Internal)
	if why != "" {
		made.host.explain(why)
	}
	return result
}

func complete(host Host, request C.uint64_t, work func() (Answer, error)) {
	answer, err := guarded(work)
	source := (*C.tftpkit_source)(C.calloc(1, C.sizeof_tftpkit_source)) // C looks at it: no Go memory
	defer C.free(unsafe.Pointer(source))
	C.tftpkit_source_init(source)
	if err == nil {
		err = put(answer, source)
	}
	result, why := status(err, Internal)
	words := C.CString(why)
	defer C.free(unsafe.Pointer(words))
	C.tftpkit_go_complete(host.table, request, result, source, words, C.size_t(len(why)))
}

// The next bytes; how many, 0 at the end, or a negative status.
//
//export tftpkitGoRead
func tftpkitGoRead(table *C.tftpkit_host, number C.uintptr_t, buffer unsafe.Pointer, capacity C.size_t) (got C.int64_t) {
	reader := readers.of(number).(io.Reader)
	count := 0
	_, err := guarded(func() (_ Answer, err error) {
		for count == 0 && err == nil {
			count, err = reader.Read(unsafe.Slice((*byte)(buffer), capacity))
		}
		return Answer{}, err
	})
	if count > 0 || errors.Is(err, io.EOF) {
		return C.int64_t(count)
	}
	failed, why := status(err, IO)
	Host{table}.explain(why)
	return C.int64_t(failed)
}

//export tftpkitGoClose
func tftpkitGoClose(table *C.tftpkit_host, number C.uintptr_t) {
	if closer, ok := readers.drop(number).(io.Closer); ok {
		if _, err := guarded(func() (Answer, error) { return Answer{}, closer.Close() }); err != nil {
			Host{table}.Log(Warning, err.Error())
		}
	}
}
