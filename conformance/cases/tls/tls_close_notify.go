package tls

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that closes the TCP connection without the last word of TLS:
// a client cannot tell the end of an answer from an attacker who cut it.
var tlsCloseNotify = spec.Case{
	ID: "TLS-CLOSE-NOTIFY", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A connection that the gateway closes after an answer ends with close_notify.",
	Refs:     []string{"RFC 8446 6.1: close_notify MUST be sent before closing", "RFC 5246 7.2.1", "RFC 9110 4.2.2"},
	After:    []string{"TLS-VERSIONS"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, _ := oneName(ctx, t, false)
		for _, gw := range t.Env().Gateways() {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				answer, err := lastWord(ctx, t, gw, between(name, version, version))
				how := tls.VersionName(version)
				switch {
				case !strings.HasPrefix(answer, "HTTP/1.1 200"):
					t.Check(false, "%s: %s: got %.100q (%v), want an answer with status 200", gw.Ref, how, answer, err)
				default:
					t.Check(err == nil, "%s: %s: %v, want close_notify", gw.Ref, how, err)
				}
			}
		}
	},
}

// lastWord asks to close after the answer and reads to the end. The error is nil
// when that was announced.
func lastWord(ctx context.Context, t *spec.T, gw spec.Gateway, c *tls.Config) (string, error) {
	from, rec := t.Env().Clients()[0], t.Env().Recorder()
	prefix, _ := rec.Reserve(t.Name("last"))
	op := history.Op{
		ID: prefix + "-1", Stream: t.Name("last"), Client: from.Ref, Kind: "http", To: gw.TLS.String(), Intended: rec.Now(), Sent: rec.Now(),
		Request: history.Request{Method: "GET", Target: "/", Host: c.ServerName}, Outcome: history.Info,
	}
	b, err := readToEnd(ctx, traffic.Secure{Dialer: from.Dialer, Config: c}, gw.TLS,
		fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\n%s: %s\r\nConnection: close\r\n\r\n", c.ServerName, echo.HeaderOpID, op.ID))
	if strings.Contains(string(b), op.ID) {
		op.Outcome = history.OK
	}
	if err != nil {
		op.Error = err.Error()
	}
	op.Returned = rec.Now()
	rec.Op(op)
	return string(b), err
}

func readToEnd(ctx context.Context, d traffic.Secure, to netip.AddrPort, request string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, visitBound)
	defer cancel()
	last := &recorder{Dialer: d.Dialer}
	d.Dialer = last
	conn, err := d.Handshake(ctx, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // the gateway has closed it
	if err := conn.SetDeadline(time.Now().Add(visitBound)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(conn)
	if err == nil && !last.alert() {
		err = fmt.Errorf("the connection ended with a record of type %d and %d bytes", last.kind, last.length)
	}
	return b, err
}
