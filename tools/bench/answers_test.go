package main

import (
	"slices"
	"strings"
	"testing"
)

func TestHeadsAreComparedWithoutOrderAndPorts(t *testing.T) {
	nginx := normalHead("GET /echo HTTP/1.1\r\nHost: a\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Port: 10000")
	ours := normalHead("GET /echo HTTP/1.1\r\nx-forwarded-port: 10030\r\nHost: a\r\nConnection: keep-alive\r\nX-Real-Ip:127.0.0.1")
	if !slices.Equal(nginx, ours) {
		t.Errorf("%q and %q differ", nginx, ours)
	}
	for _, other := range []string{
		"GET /echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-Port: 1",
		"GET /echo HTTP/1.1\r\nHost: a\r\nX-Real-IP: 127.0.0.2\r\nX-Forwarded-Port: 1",
		"GET /echo HTTP/1.0\r\nHost: a\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Port: 1",
		"GET /echo HTTP/1.1\r\nHost: a\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Port: 1\r\nConnection: close",
	} {
		if slices.Equal(nginx, normalHead(other)) {
			t.Errorf("%q passes for the same", other)
		}
	}
}

func TestRoutesHaveTheFormOfTheFirst(t *testing.T) {
	form := `{"id":"r0","host":"h0.example","uri":"/r0/*","upstream_id":"responder","status":1}`
	got, err := routeAs([]byte(form), 4711)
	want := `{"host":"h471.example","id":"r4711","status":1,"upstream_id":"responder","uri":"/r4711/*"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"{}", "x", strings.Replace(form, "h0.example", "other", 1), strings.Replace(form, `"/r0/*"`, `["/r0/*"]`, 1)} {
		if got, err := routeAs([]byte(bad), 1); err == nil {
			t.Errorf("%s gave %s", bad, got)
		}
	}
}

func TestGatewaysHaveNamesOfTheirOwn(t *testing.T) {
	g, err := parseGateway("loop=--engine=loop --log-level=info")
	if err != nil || g.Name != "loop" || !slices.Equal(g.Flags, []string{"--engine=loop", "--log-level=info"}) {
		t.Errorf("got %+v, %v", g, err)
	}
	for _, bad := range []string{"", "=x", "nginx", "haproxy=", "a/b=", "A"} {
		if g, err := parseGateway(bad); err == nil {
			t.Errorf("%q gave %+v", bad, g)
		}
	}
}
