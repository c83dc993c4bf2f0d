package loop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/enginetest"
)

// knownRelease is the release of Go whose crypto/tls was read for what these tests
// hold. When they fail with another, TLS is to be served by engine std until this
// package has followed.
const knownRelease = "go1.26"

// shaken returns both ends of a session: ours, over memory, and the peer's.
func shaken(t *testing.T, version uint16) (t1 *memory, ours, peer *tls.Conn, wire net.Conn) {
	t.Helper()
	t.Logf("%s; this is known to hold for %s", runtime.Version(), knownRelease)
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	_ = b.SetDeadline(time.Now().Add(20 * time.Second)) // pipes take them
	m := &memory{line: a}
	ours = tls.Server(m, &tls.Config{Certificates: []tls.Certificate{enginetest.SelfSigned(t, "a")}, MinVersion: version, MaxVersion: version, DynamicRecordSizingDisabled: true, SessionTicketsDisabled: true})
	peer = tls.Client(b, &tls.Config{InsecureSkipVerify: true})
	done := make(chan error, 1)
	go func() { done <- ours.Handshake() }()
	if err := peer.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	m.line = nil
	return m, ours, peer, a
}

// sealedBy returns what the peer puts on the wire for b.
func sealedBy(t *testing.T, peer *tls.Conn, wire net.Conn, b []byte) []byte {
	t.Helper()
	go func() { _, _ = peer.Write(b) }() // the reader finds out
	var sealed []byte
	buf := make([]byte, 64<<10)
	for len(sealed) < len(b)+len(b)/16384*22+22 {
		n, err := wire.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, buf[:n]...)
		if len(b) < 1000 {
			break
		}
	}
	return sealed
}

var bothVersions = []uint16{tls.VersionTLS12, tls.VersionTLS13}

func TestLibraryReadsOnAfterATemporaryErrorAtEverySplit(t *testing.T) {
	for _, version := range bothVersions {
		m, ours, peer, wire := shaken(t, version)
		want := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		buf := make([]byte, 1024)
		for split := 1; ; split++ {
			sealed := sealedBy(t, peer, wire, want)
			if split >= len(sealed) {
				break
			}
			m.in = sealed[:split]
			for range 2 { // once more without anything new
				if n, err := ours.Read(buf); n != 0 || !errors.Is(err, errNothing) {
					t.Fatalf("%s, the first %d of %d bytes: read %d, %v, want nothing and that it may be tried again", tls.VersionName(version), split, len(sealed), n, err)
				}
			}
			if len(m.in) != 0 {
				t.Fatalf("split at %d: %d bytes are left to us, want that the library keeps them", split, len(m.in))
			}
			m.in = sealed[split:]
			if n, err := ours.Read(buf); err != nil || !bytes.Equal(buf[:n], want) {
				t.Fatalf("%s, after a split at %d: %q, %v", tls.VersionName(version), split, buf[:n], err)
			}
		}
	}
}

func TestLibraryWritesAtOnceAndInLargeRecords(t *testing.T) {
	for _, version := range bothVersions {
		m, ours, peer, wire := shaken(t, version)
		body := bytes.Repeat([]byte("0123456789abcdef"), 4096) // 64 KiB
		if n, err := ours.Write(body); n != len(body) || err != nil {
			t.Fatal(n, err)
		}
		if over, most := len(m.out)-len(body), 4*64; over <= 0 || over > most {
			t.Errorf("%s: %d bytes for %d, want at most %d more: four records", tls.VersionName(version), len(m.out), len(body), most)
		}
		sealed := bytes.Clone(m.out)
		go func() { _, _ = wire.Write(sealed) }() // the reader finds out
		got := make([]byte, len(body))
		if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%s: the peer reads something else, or %v", tls.VersionName(version), err)
		}
	}
}

func TestLibraryTellsTheWordOfTheEnd(t *testing.T) {
	for _, version := range bothVersions {
		m, ours, peer, wire := shaken(t, version)
		go func() { _ = peer.CloseWrite() }() // the reader finds out
		buf := make([]byte, 1024)
		n, err := wire.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		m.in = buf[:n]
		for range 2 {
			if _, err := ours.Read(make([]byte, 10)); !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v, want the end", tls.VersionName(version), err)
			}
		}
		if err := ours.CloseWrite(); err != nil || len(m.out) == 0 {
			t.Errorf("%s: our own word: %d bytes, %v", tls.VersionName(version), len(m.out), err)
		}
	}
}

func TestLibraryAllocatesOneSmallThingForARecord(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, version := range bothVersions {
		m, ours, peer, wire := shaken(t, version)
		const runs = 100
		var sealed [runs + 1][]byte
		for i := range sealed {
			sealed[i] = sealedBy(t, peer, wire, []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
		}
		buf, answer, i := make([]byte, 1024), bytes.Repeat([]byte("x"), 300), 0
		m.out = make([]byte, 0, 1<<20)
		n := testing.AllocsPerRun(runs, func() {
			m.in = sealed[i]
			i++
			if _, err := ours.Read(buf); err != nil {
				t.Error(err)
			}
			_, _ = ours.Write(answer) // memory takes it
			m.out = m.out[:0]
		})
		if n > 1 { // 24 bytes: what it reads a record's head by
			t.Errorf("%s: %v allocations for a request and its answer", tls.VersionName(version), n)
		}
	}
}

func TestServerOfCertificatesAsksForLargeRecords(t *testing.T) {
	s := certs.NewServer(certs.Options{}, time.Now())
	c, err := certs.Compile(certs.Spec{ID: "a", Names: []string{"a"}, Pairs: []tls.Certificate{enginetest.SelfSigned(t, "a")}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use((&certs.Table{}).With(c))
	conf, err := s.Config().GetConfigForClient(&tls.ClientHelloInfo{ServerName: "a"})
	if err != nil || !conf.DynamicRecordSizingDisabled {
		t.Errorf("records grow slowly: %v", err)
	}
}

func TestRecordsAreCountedAtEverySplit(t *testing.T) {
	_, _, peer, wire := shaken(t, tls.VersionTLS13)
	var all []byte
	for i := range 5 {
		all = append(all, sealedBy(t, peer, wire, bytes.Repeat([]byte("x"), 1+i*50))...)
	}
	for split := range len(all) + 1 {
		var whole, r records
		whole.see(all[:split])
		for i := range all[:split] {
			r.see(all[i : i+1])
		}
		if r != whole {
			t.Fatalf("%d bytes, one by one: %+v, want %+v", split, r, whole)
		}
		r.see(all[split:])
		if r.due != 5 || r.left != 0 || r.have != 0 {
			t.Errorf("split at %d: %+v, want 5 records and nothing else", split, r)
		}
	}
}
