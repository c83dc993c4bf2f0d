package staple

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	// fetchTime bounds one question to a responder, from the name to the last byte.
	fetchTime = 10 * time.Second
	// longestAnswer bounds an answer, in bytes. It goes into each handshake, and
	// clients bound the message that it is a part of.
	longestAnswer = 16 << 10
	// longestHead bounds the head of the response that brings it, in bytes.
	longestHead = 16 << 10
)

// A Fetch asks a responder. It is given a limit of time by ctx; what it returns is
// not trusted.
type Fetch func(ctx context.Context, responder *url.URL, request []byte) (answer []byte, err error)

// Elsewhere tells whether a responder may have an address: whoever may write
// certificates names it, and must not make the gateway talk to itself, to its link or,
// by the range of 100.64.0.0/10, to what stands for machines of others.
func Elsewhere(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsLoopback() && !standsForOthers.Contains(a) && !thisNetwork.Contains(a)
}

var standsForOthers, thisNetwork = netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("0.0.0.0/8")

var errAddress = errors.New("a responder may not have this address")

// OverHTTP asks by POST, over a connection of its own, at the addresses that reach
// admits. As in nginx, no redirection is followed and no proxy is used.
func OverHTTP(reach func(netip.Addr) bool) Fetch {
	d := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		if at, err := netip.ParseAddrPort(address); err != nil || !reach(at.Addr()) {
			return errAddress
		}
		return nil
	}}
	c := &http.Client{
		Transport:     &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: longestHead},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, responder *url.URL, request []byte) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, responder.String(), bytes.NewReader(request))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/ocsp-request")
		req.Header.Set("Accept", "application/ocsp-response")
		resp, err := c.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the responder answers with status %d", resp.StatusCode)
		}
		b, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		if len(b) > longestAnswer {
			return nil, fmt.Errorf("the answer has more than %d bytes", longestAnswer)
		}
		return b, nil
	}
}
