package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that keeps numbers in 32 bits, rounds fractions, or turns
// 0 and false into "not there".
var adminNumbersUnchanged = spec.Case{
	ID: "ADMIN-NUMBERS-UNCHANGED", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Numbers and booleans keep their value and kind: priorities of 38 bits, negative ones, fractions of seconds, 0 and false.",
	Refs:  []string{"APISIX 3.18 Admin API, response envelope: what was stored", "APISIX 3.18 schemas: route.priority, timeout, nodes"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Track(path[1:])
		for _, c := range []struct {
			priority, connect, read, weight, websocket string
		}{
			{"0", "0.5", "60", "0", "false"},
			{"-7", "0.001", "1.25", "1", "true"},
			{"274877906943", "3600", "0.333", "65535", "false"}, // 2^38-1: what an ingress controller makes of rules
			{"-274877906943", "1e1", "2.50", "100", "true"},
		} {
			timeout := fmt.Sprintf(`{"connect":%s,"send":1,"read":%s}`, c.connect, c.read)
			up := fmt.Sprintf(`{"type":"roundrobin","nodes":{"192.0.2.1:80":%s},"timeout":%s}`, c.weight, timeout)
			body := fmt.Sprintf(`{"host":%q,"uri":"/a","priority":%s,"enable_websocket":%s,"upstream":%s}`, t.Host(), c.priority, c.websocket, up)
			r := t.Call(ctx, put(path, body))
			if !t.Check(r.Status/100 == 2, "PUT %s: got %s, want it stored", body, r) {
				continue
			}
			want := spec.Reply{Body: []byte(body)}.JSON()
			for what, v := range map[string]map[string]any{"answer": valueOf(t, r), "GET": stored(ctx, t, path)} {
				for _, name := range []string{"priority", "enable_websocket", "upstream"} {
					got := v[name]
					t.Check(text(got) == text(want[name]), "PUT %s: %s has %s %s, want %s", body, what, name, text(got), text(want[name]))
				}
			}
		}
		ask.Answered(ctx, t, del(path), http.StatusOK)
	},
}
