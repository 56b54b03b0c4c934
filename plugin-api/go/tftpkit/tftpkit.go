// Package tftpkit is the plugin ABI 1.0 of tftpkit for Go: a plugin is a type with Open, and a C file that says what it is
// called. README.md has a whole one. Copy this directory into your module; it needs cgo and <tftpkit/plugin.h>.
//
// Panics stop here and fail the request. C holds no Go pointers: what it keeps is a number.
package tftpkit

import (
	"errors"
	"io"
	"net/netip"
	"os"
)

// Plugin is one configured use of the plugin. Open says which bytes answer a request. It is called from several threads at
// once unless the plugin is EXEC_SERIAL. A Plugin that is an io.Closer is closed when the server has no more use for it.
type Plugin interface {
	Open(request *Request) (Answer, error)
}

// Serve says how an instance is made; to be called by an init() of the plugin. The error is told to the operator.
func Serve(create func(host Host) (Plugin, error)) {
	maker = create
}

// ErrDeclined means "not mine": the next instance of the route is asked.
var ErrDeclined = errors.New("declined")

// Status is why a request fails; what the client sees is told beside TFTPKIT_E_* in plugin.h.
type Status int32

const (
	Internal    Status = -1
	NotFound    Status = -10
	Access      Status = -20
	NoSpace     Status = -30
	Unsupported Status = -40
	IO          Status = -100
	Unavailable Status = -110
	Timeout     Status = -120
	Cancelled   Status = -130
)

// Failure is an error with a status. Any other error counts as Internal, out of a reader as IO.
type Failure struct {
	Status Status
	Why    string
}

func (f *Failure) Error() string { return f.Why }

// Fail makes a Failure.
func Fail(status Status, why string) error { return &Failure{status, why} }

// Level of a line in the log.
type Level uint32

const (
	Debug   Level = 10
	Info    Level = 20
	Warning Level = 30
	Error   Level = 40
)

// Request is what a client asks for; a copy, to keep as long as one likes.
type Request struct {
	ID         uint64
	Path       string         // the clean name: no "..", no '/' at either end
	WirePath   string         // as it came: any bytes
	Peer       netip.AddrPort // not valid for a request without a network
	Local      netip.AddrPort // the address that was asked
	Netascii   bool
	Blksize    uint32
	Windowsize uint32
	Options    map[string]string // names in lower case
}

// Answer is made by the functions below.
type Answer struct {
	kind     kind
	bytes    []byte
	reader   io.Reader
	file     *os.File
	size     int64
	redirect string
	later    func() (Answer, error)
}

type kind int

const (
	kindBytes kind = iota
	kindStream
	kindFile
	kindRedirect
	kindLater
)

// SizeUnknown is the size of what is not known beforehand.
const SizeUnknown int64 = -1

// Bytes answers with these bytes; they are copied.
func Bytes(content []byte) Answer { return Answer{kind: kindBytes, bytes: content} }

// Text answers with this text.
func Text(content string) Answer { return Bytes([]byte(content)) }

// Stream answers with what the reader gives, exactly size bytes when that is known. One that is an io.Closer is closed when
// the transfer ends.
func Stream(reader io.Reader, size int64) Answer {
	return Answer{kind: kindStream, reader: reader, size: size}
}

// File answers with a whole regular file, which is closed.
func File(file *os.File) Answer { return Answer{kind: kindFile, file: file} }

// Redirect answers with another name, which the following instances of the route resolve.
func Redirect(path string) Answer { return Answer{kind: kindRedirect, redirect: path} }

// Later answers with what work returns, which runs in a goroutine and may take its time: no thread of the server waits.
func Later(work func() (Answer, error)) Answer { return Answer{kind: kindLater, later: work} }
