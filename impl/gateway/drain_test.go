package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

func TestDrainThatBeganBeforeTheStartWasOverGoesOn(t *testing.T) {
	g, err := build(Options{Registration: node.Registration{Name: "test/gw", Kind: "l7gw"}, Log: slog.New(slog.DiscardHandler),
		Ready: func() { t.Error("a draining gateway calls itself ready") }})
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	g.node.SetState(node.Draining)
	g.ready()
	if s := g.node.State(); s != node.Draining {
		t.Errorf("state %v, want draining", s)
	}
}

func TestNodeDrainedByAnOperatorSendsItsClientsAway(t *testing.T) {
	r := start(t)
	one := backend(t, "one")
	r.put("/apisix", "routes/1", `{"uri":"/*","upstream":{"nodes":{"`+one+`":1}}}`)
	for _, c := range []struct {
		from, to string
		code     int
	}{{"active", "draining", 503}, {"draining", "active", 200}} {
		r.register(c.from, c.to)
		r.ready(c.code)
		resp, err := http.Get("http://" + r.data + "/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Close != (c.to == "draining") {
			t.Errorf("%s: answer %d, close %v", c.to, resp.StatusCode, resp.Close)
		}
	}
}

// register changes the state in the node's registration, as operators do.
func (r *region) register(from, to string) {
	r.t.Helper()
	key := node.RegistryKey("l7gw", "test/gw")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for { // the node may not have registered yet
		kv, ok, _, err := r.st.Get(ctx, key)
		if err != nil {
			r.t.Fatal(err)
		}
		if !ok {
			continue
		}
		value := bytes.Replace(kv.Value, []byte(`"state":"`+from+`"`), []byte(`"state":"`+to+`"`), 1)
		if bytes.Equal(value, kv.Value) {
			r.t.Fatalf("registration %s is not %s", kv.Value, from)
		}
		if _, err := r.st.Commit(ctx, []store.Cond{{Key: key, Mod: kv.Mod}}, store.Op{Key: key, Value: value}); err != nil {
			r.t.Fatal(err)
		}
		return
	}
}

// ready asks until the node answers so.
func (r *region) ready(code int) {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if got, _ := r.get("http://"+r.status+"/status/ready", ""); got == code {
			return
		}
	}
	r.t.Fatalf("readiness is not %d within 10 s", code)
}
