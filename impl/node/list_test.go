package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unilb/unilb/impl/store"
)

func TestSecondProcessOfANameWaitsUntilTheFirstHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		_, stop := start(t, m)
		defer stop()
		synctest.Wait()
		reg := registration()
		reg.Status = "http://10.101.4.4:9092"
		second := newNode(reg, m, Options{})
		lives := true
		second.ask = func(_ context.Context, asked Registration) (string, error) {
			if asked.Status != "http://10.101.4.3:9092" {
				t.Errorf("asked at %s", asked.Status)
			}
			if !lives {
				return "", errors.New("refused")
			}
			return "first", nil
		}
		if err := second.register(t.Context()); err == nil || !strings.Contains(err.Error(), "another process is l7gw/bj/az1/l7-1, at http://10.101.4.3:9092") {
			t.Errorf("beside the first: got %v", err)
		}
		status := func() string {
			got, err := ParseRegistration(m.kvs[regKey].Value)
			if err != nil {
				t.Fatal(err)
			}
			return got.Status
		}
		if got := status(); got != "http://10.101.4.3:9092" {
			t.Errorf("registered is %s, want the first", got)
		}
		lives = false
		if err := second.register(t.Context()); err != nil || status() != reg.Status {
			t.Errorf("after the first: got %v and %s, want %s", err, status(), reg.Status)
		}
	})
}

// served is a node whose status listener runs; it is not registered by itself.
func served(t *testing.T, m *memory, name string) *httptest.Server {
	t.Helper()
	n := newNode(Registration{Kind: "l7gw", Name: name}, m, Options{})
	s := httptest.NewServer(n.Handler())
	t.Cleanup(s.Close)
	value, err := json.Marshal(Registration{Kind: "l7gw", Name: name, Status: s.URL})
	if err == nil {
		_, err = m.Commit(t.Context(), nil, store.Op{Key: RegistryKey("l7gw", name), Value: value}, store.Op{Key: ReportKey("l7gw", name), Value: []byte(`{"applied":{"/apisix":7}}`)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNodeThatHasEndedCanBeRemovedAndOneThatLivesCannot(t *testing.T) {
	t.Parallel()
	m := newMemory()
	served(t, m, "a")
	dead := served(t, m, "b/c")
	dead.Close()
	c := NewClient(0)
	all, err := c.List(t.Context(), m, "l7gw")
	got := ""
	for _, r := range all {
		got += fmt.Sprint(r.Name, " ", r.Answers, " ", r.Report.Applied["/apisix"], ";")
		if strings.Contains(r.Silence, "/status") || r.Answers != (r.Silence == "") {
			t.Errorf("%s is silent because: %q", r.Name, r.Silence)
		}
	}
	if err != nil || got != "a true 7;b/c false 7;" && got != "b/c false 7;a true 7;" {
		t.Errorf("got %s, %v", got, err)
	}
	if err := c.Remove(t.Context(), m, "l7gw", "a"); err == nil || !strings.Contains(err.Error(), "still answers") {
		t.Errorf("remove one that lives: got %v", err)
	}
	if err := c.Remove(t.Context(), m, "l7gw", "b"); !errors.Is(err, ErrNotRegistered) {
		t.Errorf("remove what is not there: got %v", err)
	}
	if err := c.Remove(t.Context(), m, "l7gw", "b/c"); err != nil {
		t.Error(err)
	}
	if m.lists != 2 {
		t.Errorf("%d directories were read, want the two of the list: removals look at one node", m.lists)
	}
	if _, there := m.kvs[RegistryKey("l7gw", "a")]; len(m.kvs) != 2 || !there {
		t.Errorf("left are %d keys, want those of a", len(m.kvs))
	}
}
