// fetch: what an HTTP server has, by TFTP. A name is asked for below a URL while no thread of the server waits: each request
// is a goroutine. 404 is "not mine", anything else than 200 an error; the body goes through as it comes.
//
// scenario/... is what every sample answers in the same way; ../README.md has the list.
package main

import "C"

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sample/tftpkit"
)

func patternAt(at int64) byte { return byte(at * 7 % 251) }

type pattern struct{ at, size int64 }

func (p *pattern) Read(into []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	count := 0
	for ; count < len(into) && p.at < p.size; count++ {
		into[count] = patternAt(p.at)
		p.at++
	}
	return count, nil
}

type fetcher struct {
	greeting string
	from     string
	client   http.Client
}

func create(host tftpkit.Host) (tftpkit.Plugin, error) {
	self := &fetcher{greeting: host.Setting("/greeting"), from: host.Setting("/from")}
	if self.greeting == "" {
		return nil, errors.New("/greeting is empty: give a line")
	}
	if base, err := url.Parse(self.from); err != nil || (self.from != "" && base.Host == "") {
		return nil, errors.New("/from is no URL: give one such as http://10.0.0.1/boot/")
	}
	self.client.Timeout = 8 * time.Second
	return self, nil
}

func (self *fetcher) Open(request *tftpkit.Request) (tftpkit.Answer, error) {
	if name := strings.TrimPrefix(request.Path, "scenario/"); name != request.Path {
		return self.scenario(request, name)
	}
	if self.from == "" {
		return tftpkit.Answer{}, tftpkit.ErrDeclined
	}
	return tftpkit.Later(func() (tftpkit.Answer, error) { return self.fetch(request.Path) }), nil
}

func (self *fetcher) fetch(path string) (tftpkit.Answer, error) {
	response, err := self.client.Get(self.from + (&url.URL{Path: path}).EscapedPath())
	if err != nil {
		return tftpkit.Answer{}, tftpkit.Fail(tftpkit.Unavailable, err.Error())
	}
	if response.StatusCode == http.StatusOK {
		return tftpkit.Stream(response.Body, response.ContentLength), nil
	}
	response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return tftpkit.Answer{}, tftpkit.ErrDeclined
	}
	return tftpkit.Answer{}, tftpkit.Fail(tftpkit.IO, "the HTTP server says "+response.Status)
}

func (self *fetcher) scenario(request *tftpkit.Request, name string) (tftpkit.Answer, error) {
	way, number, _ := strings.Cut(name, "/")
	size, err := strconv.ParseInt(number, 10, 64)
	sized := err == nil && size >= 0
	switch {
	case way == "bytes" && sized && size <= 1<<20:
		content := make([]byte, size)
		for at := range content {
			content[at] = patternAt(int64(at))
		}
		return tftpkit.Bytes(content), nil
	case way == "stream" && sized:
		return tftpkit.Stream(&pattern{0, size}, size), nil
	case name == "greeting":
		return tftpkit.Text(self.greeting + "\n"), nil
	case name == "peer" && request.Peer.Addr().Is4():
		return tftpkit.Text(fmt.Sprintf("%v\n", request.Peer.Addr())), nil
	case name == "redirect":
		return tftpkit.Redirect("elsewhere"), nil
	case name == "refuse":
		return tftpkit.Answer{}, tftpkit.Fail(tftpkit.Access, "not for you")
	case name == "fail":
		return tftpkit.Bytes([]byte{name[len(number)+7]}), nil
	}
	return tftpkit.Answer{}, tftpkit.ErrDeclined
}

func init() { tftpkit.Serve(create) }

func main() {}
