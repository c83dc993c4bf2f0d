package traffic

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

func secureEcho(t *testing.T) *httptest.Server {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(echo.HeaderBackend, r.TLS.ServerName)
		w.Header().Set(echo.HeaderOp, r.Header.Get(echo.HeaderOpID))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestASecureSessionKeepsItsConnectionAndSaysTheName(t *testing.T) {
	srv := secureEcho(t)
	shaken := 0
	d := Secure{Dialer: Here{}, Config: &tls.Config{ServerName: "a.example", InsecureSkipVerify: true}, Shaken: func(tls.ConnectionState) { shaken++ }}
	s := NewSession(Client{Ref: "client/inet-1", Dialer: d}, netip.MustParseAddrPort(srv.Listener.Addr().String()),
		history.NewRecorder(history.NewClock()), Options{Conns: ConnPolicy{Keep: 1}})
	defer s.Close()
	for i := range 3 {
		if r := s.Do(t.Context(), Request{}); r.Backend() != "a.example" || r.Op.Reused != i {
			t.Fatalf("request %d: got %q (%v) as request %d of its connection, want a.example", i, r.Backend(), r.Err, r.Op.Reused)
		}
	}
	srv.CloseClientConnections() // the next request must find that out before it is sent
	if r := s.Do(t.Context(), Request{}); r.Err != nil || r.Op.Reused != 0 || shaken != 2 {
		t.Errorf("after the server closed the connection: got %v, request %d of its connection, %d handshakes; want a new connection, the second", r.Err, r.Op.Reused, shaken)
	}
}

func TestAFailedHandshakeCertainlySentNothing(t *testing.T) {
	srv := secureEcho(t)
	d := Secure{Dialer: Here{}, Config: &tls.Config{ServerName: "a.example"}} // nobody vouches for the certificate
	s := NewSession(Client{Ref: "client/inet-1", Dialer: d}, netip.MustParseAddrPort(srv.Listener.Addr().String()),
		history.NewRecorder(history.NewClock()), Options{})
	if r := s.Do(t.Context(), Request{}); r.Op.Outcome != history.Fail || r.Op.Conn != 0 {
		t.Errorf("got outcome %q on connection %d, want fail and none", r.Op.Outcome, r.Op.Conn)
	}
}
