package tls

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// maxBody is the longest answer that is read over HTTP/2, in bytes.
const maxBody = 1 << 20

// call2 makes a handshake and sends GET / for the host over it by HTTP/2, which
// the handshake must have chosen.
func call2(ctx context.Context, t *spec.T, gw spec.Gateway, c *tls.Config, host string) visit {
	from, rec := t.Env().Clients()[0], t.Env().Recorder()
	v := visit{gw: gw, name: c.ServerName}
	prefix, _ := rec.Reserve(t.Name("h2"))
	v.Op = history.Op{
		ID: prefix + "-1", Stream: t.Name("h2"), Client: from.Ref, Kind: "http", To: gw.TLS.String(), Intended: rec.Now(), Sent: rec.Now(),
		Request: history.Request{Method: http.MethodGet, Target: "/", Proto: "HTTP/2.0", Host: host}, Outcome: history.Info,
	}
	ctx, cancel := context.WithTimeout(ctx, visitBound)
	defer cancel()
	shaken := make(chan tls.ConnectionState, 1) // the transport dials on its own, and may still when the request has ended
	d := traffic.Secure{Dialer: from.Dialer, Config: c, Shaken: func(s tls.ConnectionState) { shaken <- s }}
	tr := &http.Transport{
		Protocols:      new(http.Protocols),
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Handshake(ctx, gw.TLS) },
	}
	tr.Protocols.SetHTTP2(true)
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/", nil)
	if err != nil {
		t.Brokenf("make a request: %v", err)
	}
	req.Header.Set(echo.HeaderOpID, v.Op.ID)
	if v.Reply, v.Err = answer2(tr, req); v.Err != nil {
		v.Op.Error = v.Err.Error()
	} else {
		v.Op.Response = &history.Response{Status: v.Reply.Status, Backend: topology.Ref(v.Reply.Header.Get(echo.HeaderBackend)), BodyLen: v.Reply.Length}
		if v.Reply.Header.Get(echo.HeaderOp) == v.Op.ID {
			v.Op.Outcome = history.OK
		}
	}
	select {
	case s := <-shaken:
		v.State = &s
	default:
	}
	v.Op.Returned = rec.Now()
	rec.Op(v.Op)
	return v
}

func answer2(tr *http.Transport, req *http.Request) (*traffic.Reply, error) {
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, err
	}
	r := &traffic.Reply{Status: resp.StatusCode, Body: body, Length: int64(len(body))}
	for name, values := range resp.Header {
		for _, value := range values {
			r.Header = append(r.Header, history.Field{Name: name, Value: value})
		}
	}
	return r, nil
}
