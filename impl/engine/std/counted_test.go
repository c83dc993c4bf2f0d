package std

import (
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

func TestWhatAnEarlierConnectionTookIsNotForgotten(t *testing.T) {
	first, second := &counted{}, &counted{}
	first.written.Store(100) // of requests before this one
	var a try
	if a.sent() {
		t.Error("sent before there is a connection")
	}
	a.gotConn(httptrace.GotConnInfo{Conn: first})
	if a.sent() {
		t.Error("sent by requests before this one")
	}
	first.written.Add(1)
	a.gotConn(httptrace.GotConnInfo{Conn: second})
	if !a.sent() {
		t.Error("not sent, but the first connection took a byte")
	}
}

func TestPoolWithTheLongestIdleTimeoutIsNotSweptInUse(t *testing.T) {
	p := newPools(nil)
	defer p.close()
	for _, idle := range []time.Duration{time.Second, 1<<63 - 1} {
		key := exchange.Pool{Address: "a:1", IdleConns: 1, IdleTimeout: idle}
		tr := p.get(key)
		p.expire(time.Now().Add(sweepEvery))
		if p.get(key) != tr {
			t.Errorf("idle timeout %v: the pool was let go after %v", idle, sweepEvery)
		}
	}
}
