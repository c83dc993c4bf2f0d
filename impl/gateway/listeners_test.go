package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/config"
)

// listener is the object of an address.
func listenerObject(address, protocol string) string {
	at := netip.MustParseAddrPort(address)
	return fmt.Sprintf(`{"address":"%s","port":%d,"protocol":"%s"}`, at.Addr(), at.Port(), protocol)
}

func TestListenersThatCannotBeServedAreReported(t *testing.T) {
	log := &lockedBuffer{}
	r := startWith(t, EngineLoop, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	foreign, err := net.Listen("tcp", "127.0.0.1:0") // by somebody who shares it with nobody
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	free := freeAddr(t)
	for _, tc := range []struct{ id, object, want string }{
		{"taken", listenerObject(foreign.Addr().String(), "http"), "address already in use"},
		{"w1", listenerObject(free, "http"), ""},
		{"w2", listenerObject(free, "https"), "another protocol for /unilb/listeners/w1"},
		{"w3", listenerObject(r.data, "https"), "another protocol for a flag of this process"},
		{"w4", listenerObject(r.secure, "http"), "another protocol for a flag of this process"},
		{"w5", listenerObject(r.data, "http"), ""},
	} {
		key := "/unilb/listeners/" + tc.id
		r.put("/unilb/listeners", tc.id, tc.object)
		_, body := r.get("http://"+r.status+"/status/config", "")
		_, refused, _ := strings.Cut(body, `"refused":{`)
		refused, _, _ = strings.Cut(refused, "}")
		_, reason, listed := strings.Cut(refused, `"`+key+`":"`)
		if listed != (tc.want != "") || !strings.Contains(reason, tc.want) {
			t.Errorf("%s: refused are %s, want %q", key, refused, tc.want)
		}
		if n := strings.Count(log.String(), " key="+key+" "); (n == 1) != (tc.want != "") {
			t.Errorf("%s: %d lines in the log, want one if it is refused\n%s", key, n, log.String())
		}
	}
	if _, body := r.get("http://"+r.status+"/metrics", ""); !strings.Contains(body, "unilb_config_objects_refused 4") || !strings.Contains(body, `unilb_config_object_refused{key="/unilb/listeners/w3"} 1`) {
		t.Error("the metrics do not have the four that are refused")
	}
	for range 8 { // two sockets of one address would take turns
		c, err := net.DialTimeout("tcp", r.data, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		head := make([]byte, len("HTTP/1.1 404"))
		if _, err := c.Read(head); err != nil || string(head) != "HTTP/1.1 404" {
			t.Errorf("got %q, %v, want 404", head, err)
		}
		c.Close()
	}
	for _, key := range []string{"taken", "w2", "w3", "w4"} {
		r.put("/unilb/listeners", key, "")
	}
	if _, body := r.get("http://"+r.status+"/status/config", ""); !strings.Contains(body, `"refused":{}`) {
		t.Errorf("what is deleted is still refused: %s", body)
	}
}

func TestListenerIsAcceptedOnceItsAddressIsFree(t *testing.T) {
	foreign, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	at := netip.MustParseAddrPort(foreign.Addr().String())
	var n atomic.Int32
	b := &book{refused: map[string]bool{}}
	l := newListeners(counting{plain: &n, secure: &n}, b, nil, slog.New(slog.DiscardHandler))
	defer l.close()
	l.reconcile([]*config.Listener{{ID: "a", At: at}})
	if err := l.begin(nil, nil); err != nil {
		t.Fatal(err)
	}
	if len(l.refusals()) != 1 || !b.refused["/unilb/listeners/a"] {
		t.Fatalf("refused %v, %v, want a", l.refusals(), b.refused)
	}
	// It moves to an address that is free.
	l.reconcile([]*config.Listener{{ID: "a", At: netip.MustParseAddrPort(freeAddr(t))}})
	if len(l.refusals()) != 0 || len(b.refused) != 0 {
		t.Errorf("refused %v, %v, want none", l.refusals(), b.refused)
	}
	l.reconcile([]*config.Listener{{ID: "a", At: at}})
	foreign.Close()
	l.tryAgain()
	if len(l.refusals()) != 0 || len(b.refused) != 0 {
		t.Errorf("with its address free: refused %v, %v, want none", l.refusals(), b.refused)
	}
}

func TestAddressIsServedWithTLSOrWithout(t *testing.T) {
	var n atomic.Int32
	at := freeAddr(t)
	_, port, _ := net.SplitHostPort(at)
	l := newListeners(counting{plain: &n, secure: &n}, &book{refused: map[string]bool{}}, nil, slog.New(slog.DiscardHandler))
	defer l.close()
	if err := l.begin([]string{at}, []string{"localhost:" + port}); err == nil || !strings.Contains(err.Error(), at+" is to be served without TLS, and as localhost:"+port+" with it") {
		t.Errorf("got %v, want an error that names both", err)
	}
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{":80", "0.0.0.0:80", true}, {":80", "[::]:80", true}, {":80", ":81", false}, {":80", "127.0.0.1:80", false}, {"127.0.0.1:80", "[::ffff:127.0.0.1]:80", true},
		{":0", ":0", false}, {"a:80", "a:80", true}, {"nonsense", "nonsense", false},
	} {
		if got := SameListener(tc.a, tc.b); got != tc.same {
			t.Errorf("%s and %s: got %t, want %t", tc.a, tc.b, got, tc.same)
		}
	}
}

func TestProcessThatServesNothingSaysSo(t *testing.T) {
	for _, listen := range [][]string{nil, {"127.0.0.1:0"}} {
		var n atomic.Int32
		log := &lockedBuffer{}
		l := newListeners(counting{plain: &n, secure: &n}, &book{refused: map[string]bool{}}, nil, slog.New(slog.NewTextHandler(log, nil)))
		err := l.begin(listen, nil)
		if said := strings.Count(log.String(), "level=WARN msg=\"nothing is served"); err != nil || (said == 1) != (listen == nil) {
			t.Errorf("listening on %q: %d such lines, %v", listen, said, err)
		}
		l.close()
	}
}
