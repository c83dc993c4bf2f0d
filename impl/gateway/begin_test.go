package gateway

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/unilb/unilb/impl/config"
)

// silent is a node that nobody asks.
type silent struct{}

func (silent) Refuse(string, error) {}
func (silent) Accept(string)        {}

// hangsUp is an engine that accepts connections and closes them.
type hangsUp struct{ stdEngine }

func (h hangsUp) ServeTLS(l net.Listener) error { return h.Serve(l) }

func (hangsUp) Serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return nil
		}
		c.Close()
	}
}

func TestNothingListensBeforeThereIsAConfiguration(t *testing.T) {
	static, dynamic := freeAddr(t), netip.MustParseAddrPort(freeAddr(t))
	l := newListeners(hangsUp{}, silent{}, nil, slog.New(slog.DiscardHandler))
	defer l.close()
	open := func(address string) bool {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	l.reconcile([]*config.Listener{{ID: "web", At: dynamic}})
	if open(dynamic.String()) {
		t.Error("a listener object is open before the gateway has read its routes")
	}
	if err := l.begin([]string{static}, nil); err != nil {
		t.Fatal(err)
	}
	if !open(static) || !open(dynamic.String()) {
		t.Errorf("after begin: static %t, dynamic %t, want both open", open(static), open(dynamic.String()))
	}
}
