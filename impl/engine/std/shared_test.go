package std

import (
	"testing"

	"github.com/unilb/unilb/impl/engine/enginetest"
)

func TestTheLibraryIsAnEngine(t *testing.T) {
	enginetest.Run(t, startShared, false)
}

func TestTheLibraryServesTargetsOfHTTP2(t *testing.T) {
	enginetest.RunHTTP2Targets(t, startShared, true)
}

func TestTheLibraryServesClientsOfHTTP2(t *testing.T) {
	enginetest.RunHTTP2Clients(t, startShared)
}

func startShared(t *testing.T, o enginetest.Options) (enginetest.Engine, string) {
	t.Helper()
	return start(t, Options{Handler: o.Handler, HTTP2: o.HTTP2, MaxBody: o.MaxBody, MaxConns: o.MaxConns, Server: o.Server, Draining: o.Draining, Roots: o.Roots, TLS: o.TLS, HeadTimeout: o.HeadTimeout, IdleTimeout: o.IdleTimeout, BodyTimeout: o.BodyTimeout, HalfClose: o.HalfClose})
}
