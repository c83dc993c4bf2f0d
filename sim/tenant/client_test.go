package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/traffic"
)

// api is a server whose answers a test decides.
func api(t *testing.T, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(strings.TrimPrefix(s.URL, "http://"))
}

// dead is an address where nobody listens.
func dead(t *testing.T) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(nil)
	s.Close()
	return netip.MustParseAddrPort(strings.TrimPrefix(s.URL, "http://"))
}

func TestADeadReplicaIsPassedOver(t *testing.T) {
	alive := api(t, func(w http.ResponseWriter, r *http.Request) {
		var got LoadBalancer
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || got.Address != "203.0.113.10" {
			t.Errorf("got %+v, %v", got, err)
		}
		if r.Method != http.MethodPut || r.URL.Path != "/v1/load-balancers/shop" || r.Header.Get("X-API-KEY") != "key" {
			t.Errorf("got %s %s with key %q", r.Method, r.URL, r.Header.Get("X-API-KEY"))
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"id":"7","state":"publishing"}`))
	})
	c := New(traffic.Here{}, "key", dead(t), alive)
	op, err := c.Put(context.Background(), LoadBalancerPath("shop"), LoadBalancer{Tenant: "t", Address: "203.0.113.10"})
	if err != nil || op.ID != "7" {
		t.Fatalf("got %+v, %v; want operation 7", op, err)
	}
}

func TestADeadReplicaDelaysOneCall(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }
	alive := api(t, answer)
	var asked atomic.Int32
	broken := api(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler) // the connection ends without an answer
	})
	c := New(traffic.Here{}, "key", broken, alive)
	for range 3 {
		if _, err := c.Delete(t.Context(), "/v1/x"); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the dead replica was asked %d times by 3 calls, want once", n)
	}
}

func TestARefusalIsNotAskedOfTheNextReplica(t *testing.T) {
	var second atomic.Int32
	first := api(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error_msg":"unknown field \"prot\"","field":"prot"}`))
	})
	next := api(t, func(http.ResponseWriter, *http.Request) { second.Add(1) })
	_, err := New(traffic.Here{}, "key", first, next).Put(context.Background(), ListenerPath("shop", "web"), Listener{})
	var refused *Error
	if !errors.As(err, &refused) || refused.Status != 400 || refused.Field != "prot" {
		t.Errorf("got %v, want a refusal that names the field", err)
	}
	if n := second.Load(); n != 0 {
		t.Errorf("the second replica was asked %d times, want 0", n)
	}
}

func TestAwaitEndsWhenTheChangeIsInForce(t *testing.T) {
	var asked atomic.Int32
	at := api(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("wait") == "" {
			t.Errorf("got %s, want a wait", r.URL)
		}
		state := Published
		if asked.Add(1) == 3 {
			state = InForce
		}
		_, _ = w.Write([]byte(`{"id":"7","state":"` + state + `","in_force":2,"nodes":3}`))
	})
	op, err := New(traffic.Here{}, "key", at).Await(context.Background(), Operation{ID: "7", State: Publishing})
	if err != nil || op.State != InForce || asked.Load() != 3 {
		t.Errorf("got %+v, %v after %d questions", op, err, asked.Load())
	}
}

func TestAwaitNamesTheNodeThatIsBehind(t *testing.T) {
	at := api(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"id":"7","state":"published","behind":[{"node":"bj/az1/l7-2","kind":"l7gw","state":"unknown","prefix":"/apisix","applied":0,"want":9}]}`))
	})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := New(traffic.Here{}, "key", at).Await(ctx, Operation{ID: "7"})
	if err == nil || !strings.Contains(err.Error(), "bj/az1/l7-2") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline that names bj/az1/l7-2", err)
	}
}

func TestAFailedOperationIsAnError(t *testing.T) {
	_, err := New(traffic.Here{}, "key").Await(context.Background(), Operation{ID: "7", State: Failed, Error: "no such group"})
	if err == nil || !strings.Contains(err.Error(), "no such group") {
		t.Errorf("got %v, want the reason", err)
	}
}
