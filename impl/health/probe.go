package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NetProber probes over the network.
type NetProber struct {
	Dialer net.Dialer
	// Roots are the authorities that targets are verified by; nil: the system's.
	Roots *x509.CertPool
}

// Probe does a check of the type tcp (connect only), http or https.
func (p *NetProber) Probe(ctx context.Context, host string, port int, c *Check) Finding {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	conn, err := p.Dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		event, detail := connectFailure(ctx, err)
		var op *net.OpError
		if !errors.As(err, &op) {
			return Finding{event, detail, netip.Addr{}}
		}
		return Finding{event, detail, addressOf(op.Addr)}
	}
	defer conn.Close()
	event, detail := p.judge(ctx, conn, host, c)
	return Finding{event, detail, addressOf(conn.RemoteAddr())}
}

// addressOf is an address of TCP without its port.
func addressOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// judge asks a target to which there is a connection.
func (p *NetProber) judge(ctx context.Context, conn net.Conn, host string, c *Check) (Event, string) {
	if c.Type == "tcp" {
		return Success, ""
	}
	if d, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(d) // a socket that cannot take it fails below
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if c.Type == "https" {
		tc := tls.Client(conn, &tls.Config{ServerName: serverName(c.Host, host), InsecureSkipVerify: !c.VerifyTLS, RootCAs: p.Roots})
		if err := tc.HandshakeContext(ctx); err != nil {
			return connectFailure(ctx, err)
		}
		conn = tc
	}
	status, err := ask(conn, c)
	switch {
	case err != nil && timedOut(ctx, err):
		return Timeout, err.Error()
	case err != nil:
		return HTTPFailure, err.Error()
	case slices.Contains(c.HealthyStatuses, status):
		return Success, ""
	case slices.Contains(c.UnhealthyStatuses, status):
		return HTTPFailure, "status " + strconv.Itoa(status)
	}
	return Ignored, ""
}

func connectFailure(ctx context.Context, err error) (Event, string) {
	if timedOut(ctx, err) {
		return Timeout, err.Error()
	}
	return TCPFailure, err.Error()
}

func timedOut(ctx context.Context, err error) bool {
	var ne net.Error
	return ctx.Err() != nil || errors.As(err, &ne) && ne.Timeout()
}

func serverName(header, host string) string {
	if header == "" {
		return host
	}
	if h, _, err := net.SplitHostPort(header); err == nil {
		return h
	}
	return header
}

// maxHead bounds what is read of an answer, in bytes.
const maxHead = 64 << 10

// ask sends the request of a probe and reads the status. The body of the
// answer is not read: the connection is closed after it.
func ask(conn net.Conn, c *Check) (int, error) {
	var b strings.Builder
	b.WriteString(c.Method + " " + c.Path + " HTTP/1.1\r\nHost: " + c.Host + "\r\nConnection: close\r\n")
	for _, h := range c.Headers {
		b.WriteString(h + "\r\n")
	}
	if c.Body != "" {
		b.WriteString("Content-Length: " + strconv.Itoa(len(c.Body)) + "\r\n")
	}
	b.WriteString("\r\n" + c.Body)
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return 0, err
	}
	return readStatus(io.LimitReader(conn, maxHead))
}
