package certs

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// clock is a time that a test sets.
type clock struct{ atomic.Pointer[time.Time] }

func (c *clock) set(t time.Time) { c.Store(&t) }
func (c *clock) now() time.Time  { return *c.Load() }

// stapling is a server of one pair, and its clock.
func stapling(t *testing.T) (*Server, *Pair, *clock) {
	t.Helper()
	at := &clock{}
	at.set(now)
	c := must(t, Spec{ID: "a", Names: []string{"a.example"}, Pairs: []tls.Certificate{certstest.NewAuthority(t).Issue("a", certstest.Elliptic(t))}})
	s := NewServer(Options{Secret: make([]byte, minSecret), Now: at.now}, now)
	s.Use((&Table{}).With(c))
	return s, c.Pairs()[0], at
}

func TestHandshakeBringsTheStapleUntilItExpires(t *testing.T) {
	for _, version := range bothVersions {
		s, pair, at := stapling(t)
		want := func(staple, why string) {
			t.Helper()
			got, _, err := shake(t, s, &tls.Config{ServerName: "a.example", MinVersion: version, MaxVersion: version})
			if err != nil || string(got.OCSPResponse) != staple {
				t.Errorf("%s, %s: staple %q, %v, want %q", tls.VersionName(version), why, got.OCSPResponse, err, staple)
			}
		}
		want("", "at first")
		pair.Staple([]byte("one"), now.Add(time.Hour))
		want("one", "with a staple")
		pair.Staple([]byte("two"), now.Add(2*time.Hour))
		want("two", "with a newer one")
		at.set(now.Add(2*time.Hour - time.Nanosecond))
		want("two", "at its last moment")
		at.set(now.Add(2 * time.Hour))
		want("", "when it has expired")
		at.set(now)
		pair.Staple(nil, now.Add(2*time.Hour))
		want("", "when it was taken away")
	}
}

func TestServerWithoutAClockStaplesNothing(t *testing.T) {
	s, pair, _ := stapling(t)
	s.o.Now = nil
	pair.Staple([]byte("one"), now.Add(time.Hour))
	if got, _, err := shake(t, s, &tls.Config{ServerName: "a.example"}); err != nil || len(got.OCSPResponse) > 0 {
		t.Errorf("staple %q, %v", got.OCSPResponse, err)
	}
}

func TestSessionsAreResumedWhateverIsStapled(t *testing.T) {
	for _, version := range bothVersions {
		s, pair, _ := stapling(t)
		k := &ticket{}
		c := &tls.Config{ServerName: "a.example", MinVersion: version, MaxVersion: version, ClientSessionCache: k}
		for i, staple := range []string{"", "one", "two", ""} {
			pair.Staple([]byte(staple), now.Add(time.Hour))
			got, _, err := shake(t, s, c)
			if err != nil || got.DidResume != (i > 0) {
				t.Errorf("%s, handshake %d: resumed %t, %v", tls.VersionName(version), i, got.DidResume, err)
			}
		}
	}
}

func TestChoosingAStapledPairDoesNotAllocate(t *testing.T) {
	_, pair, at := stapling(t)
	pair.Staple([]byte("one"), now.Add(time.Hour))
	if n := testing.AllocsPerRun(100, func() { pair.at(at.now) }); n != 0 {
		t.Errorf("allocates %v times", n)
	}
}

// kept is a connection whose peer never answers, and that keeps what it was sent.
type kept struct {
	net.Conn
	sent []byte
}

func (k *kept) Write(b []byte) (int, error)     { k.sent = append(k.sent, b...); return len(b), nil }
func (k *kept) Read([]byte) (int, error)        { return 0, io.EOF }
func (k *kept) SetDeadline(time.Time) error     { return nil }
func (k *kept) SetReadDeadline(time.Time) error { return nil }
func (k *kept) Close() error                    { return nil }

// hello is the first message of a client that asks for a staple, and of one that does
// not: there the extension has another number, which nobody knows.
func hello(t *testing.T, asks bool) []byte {
	t.Helper()
	k := &kept{}
	_ = tls.Client(k, &tls.Config{ServerName: "a.example", MaxVersion: tls.VersionTLS12}).Handshake() // there is no answer
	request := []byte{0, 5, 0, 5, 1, 0, 0, 0, 0}                                                      // status_request, OCSP, nothing special
	for i := range k.sent[:len(k.sent)-len(request)] {
		if string(k.sent[i:i+len(request)]) == string(request) {
			if !asks {
				k.sent[i] = 0xfa
			}
			return k.sent
		}
	}
	t.Fatal("the hello does not ask for a staple")
	return nil
}

// flight are the kinds of messages with which a server of TLS 1.2 answers a hello.
func flight(t *testing.T, s *Server, hello []byte) (kinds []byte) {
	t.Helper()
	near, far := connected(t)
	defer near.Close()
	go func() { _ = tls.Server(far, s.Config()).Handshake(); _ = far.Close() }() // ends with near
	if _, err := near.Write(hello); err != nil {
		t.Fatal(err)
	}
	const last = 14 // ServerHelloDone
	var messages []byte
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(near, head); err != nil {
			t.Fatal(err)
		}
		body := make([]byte, binary.BigEndian.Uint16(head[3:]))
		if _, err := io.ReadFull(near, body); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, body...)
		for len(messages) >= 4 {
			size := 4 + int(messages[1])<<16 + int(messages[2])<<8 + int(messages[3])
			if len(messages) < size {
				break
			}
			kinds = append(kinds, messages[0])
			if messages[0] == last {
				return kinds
			}
			messages = messages[size:]
		}
	}
}

func TestClientThatDoesNotAskGetsNoStaple(t *testing.T) {
	s, pair, _ := stapling(t)
	pair.Staple([]byte("one"), now.Add(time.Hour))
	const status = 22 // CertificateStatus
	for _, asks := range []bool{true, false} {
		got := false
		for _, kind := range flight(t, s, hello(t, asks)) {
			got = got || kind == status
		}
		if got != asks {
			t.Errorf("asks: %t, is stapled to: %t", asks, got)
		}
	}
}
