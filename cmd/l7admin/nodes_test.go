package main

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/daemon"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

func TestGatewayThatHasEndedIsRemovedAndNobodyWaitsForItAnyMore(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	st, err := store.Open(store.Options{Endpoints: []string{s.endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	reg := node.Registration{Kind: "l7gw", Name: "bj/gw-1", Watches: []string{"/apisix"}}
	status := httptest.NewServer(node.New(reg, nil, node.Options{}).Handler())
	defer status.Close()
	reg.Status = status.URL
	value, err := json.Marshal(reg)
	if err == nil {
		_, err = st.Commit(t.Context(), nil, store.Op{Key: node.RegistryKey(reg.Kind, reg.Name), Value: value},
			store.Op{Key: node.ReportKey(reg.Kind, reg.Name), Value: []byte(`{"applied":{"/apisix":7},"errors":[{"key":"k"}]}`)})
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := s.l7admin(0, "nodes"); strings.Join(strings.Fields(got), " ") != "KIND NAME STATE STATUS LISTENER ANSWERS APPLIED REFUSED l7gw bj/gw-1 active "+reg.Status+" yes /apisix 7 1" {
		t.Errorf("got\n%s", got)
	}
	s.l7admin(daemon.ExitFailed, "nodes", "remove", "bj/gw-1") // it lives
	status.Close()
	if got := s.l7admin(0, "nodes", "--json", "--kind", "l7gw"); !strings.HasPrefix(got, `{"kind":"l7gw","name":"bj/gw-1","state":"active","status":"`+reg.Status+`","answers":false,"error":"ask l7gw/bj/gw-1: dial tcp `) {
		t.Errorf("got %s", got)
	}
	s.l7admin(daemon.ExitFailed, "nodes", "remove", "--kind", "l7admin", "bj/gw-1") // another kind
	s.l7admin(daemon.ExitBadFlags, "nodes", "bj/gw-1")
	s.l7admin(0, "nodes", "remove", "bj/gw-1")
	if left, _, err := st.List(t.Context(), "/unilb/nodes"); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	s.l7admin(daemon.ExitFailed, "nodes", "remove", "bj/gw-1") // it is gone
	s.call("PUT", "routes/r?wait=applied", `{"uri":"/","plugins":{}}`)
}
