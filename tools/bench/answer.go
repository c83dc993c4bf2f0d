package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/tools/bench/load"
)

// checkAnswers asks each proxy once for what the load will ask for, and for the head
// that the responder gets from it. What a proxy of ours does wrong is kept with the
// proxy; what the others do wrong is an error, for nothing can be compared.
func (s *site) checkAnswers(ctx context.Context) error {
	var want []string
	for _, p := range s.proxies {
		if p.lacks != "" {
			continue
		}
		got, err := s.checkAnswer(ctx, p)
		if err == nil && want == nil {
			want = got
		}
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("the responder gets %q by it, and %q by %s: unequal work", got, want, s.proxies[0].name)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !s.isOurs(p):
			return fmt.Errorf("%s: %w", p.name, err)
		case s.row.Needs == needH2:
			p.lacks = err.Error()
		default:
			p.wrong = err.Error()
		}
	}
	return nil
}

func (s *site) isOurs(p *proxy) bool {
	return slices.ContainsFunc(s.gateways, func(g Gateway) bool { return g.Name == p.name })
}

// checkAnswer compares the body byte by byte, and returns the head that the
// responder got, in an order and with ports that do not depend on the proxy.
func (s *site) checkAnswer(ctx context.Context, p *proxy) ([]string, error) {
	body, err := s.ask(ctx, p, s.row.Body)
	if err != nil {
		return nil, err
	}
	if want := load.BodyOf(load.Bodies[s.row.Body]); !bytes.Equal(body, want) {
		return nil, fmt.Errorf("the body of %d bytes differs from the responder's of %d", len(body), len(want))
	}
	head, err := s.ask(ctx, p, load.EchoName)
	if err != nil {
		return nil, err
	}
	return normalHead(string(head)), nil
}

// normalHead is a request's head with its fields in the order of their names, as
// small letters, and without what must differ.
func normalHead(head string) []string {
	lines := strings.Split(head, "\r\n")
	for i, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		switch name {
		case "x-forwarded-port":
			value = "PORT"
		case "connection":
			if strings.EqualFold(value, "keep-alive") {
				value, name = "", "" // says nothing in HTTP/1.1
			}
		}
		lines[1+i] = strings.Trim(name+": "+value, ": ")
	}
	slices.Sort(lines[1:])
	return slices.DeleteFunc(lines, func(l string) bool { return l == "" })
}

// ask makes one request in the row's protocol and returns the answer's body.
func (s *site) ask(ctx context.Context, p *proxy, body string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if s.row.Needs == needH2 {
		return s.askH2(ctx, p, body)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", s.door(p))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return nil, err
	}
	if s.row.TLS {
		c = tls.Client(c, clientTLS())
	}
	if _, err := io.WriteString(c, s.row.request(body)); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return whole(resp)
}

func (s *site) askH2(ctx context.Context, p *proxy, body string) ([]byte, error) {
	path, host := s.row.target(body)
	t := &http.Transport{TLSClientConfig: clientTLS(), ForceAttemptHTTP2: true}
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+p.tls+path, nil)
	if err != nil {
		return nil, err
	}
	req.Host = host
	req.Header.Set("User-Agent", "") // as the load does not
	resp, err := t.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.ProtoMajor != 2 {
		return nil, errors.Join(errors.New("it answers in "+resp.Proto), resp.Body.Close())
	}
	return whole(resp)
}

func whole(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s: %.200q", resp.Status, b)
	}
	return b, nil
}
