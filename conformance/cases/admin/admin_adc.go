package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/cases/selfsigned"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API with which a client that keeps a configuration in files is never
// done: it finds differences in what it has just written, is refused what its own order
// made impossible, or leaves something behind.
var adminADC = spec.Case{
	ID: "ADMIN-ADC", Level: spec.Must, Needs: []spec.Feature{spec.AdminReferences, spec.AdminSSL, spec.AdminKinds, spec.AdminCredentials, spec.AdminPlugins},
	Title: "A client that calls as ADC does writes objects of all its kinds, finds no difference afterwards and reads what it wrote, changes one with one write, and takes all away again, consumers before their credentials.",
	Refs:  []string{"APISIX 3.18 Admin API, clients: ADC"},
	After: []string{"ADMIN-SYNC", "ADMIN-DUMP-EQUALS-INPUT"},
	Run: func(ctx context.Context, t *spec.T) {
		a := &adc{t: t, known: map[string]bool{}}
		a.dump(ctx)
		want := a.wishes()
		writes := a.sync(ctx, want)
		t.Check(len(writes) == len(want), "the first sync made %d writes, there are %d objects", len(writes), len(want))

		writes = a.sync(ctx, want)
		t.Check(len(writes) == 0, "nothing has changed, and a second sync wrote: %s", strings.Join(writes, ", "))
		have := a.dump(ctx)
		t.Check(len(have) == len(want), "a dump has %d objects, want %d", len(have), len(want))
		for path, v := range want {
			t.Check(comparable(path, have[path]) == comparable(path, v), "%s: a dump has %s, want %s", path, comparable(path, have[path]), comparable(path, v))
		}

		// The dump is what the next sync is given; of ssls it lacks the keys.
		for path := range have {
			if strings.HasPrefix(path, "ssls/") {
				have[path] = want[path]
			}
		}
		changed := slices.Sorted(maps.Keys(have))[0]
		for path := range have {
			if strings.HasPrefix(path, "routes/") {
				changed = path
			}
		}
		have[changed] = maps.Clone(have[changed])
		have[changed]["desc"] = "changed"
		writes = a.sync(ctx, have)
		t.Check(slices.Equal(writes, []string{"PUT " + changed}), "one object has changed, and a sync wrote: %s", strings.Join(writes, ", "))

		writes = a.sync(ctx, wish{})
		t.Check(len(writes) == len(want), "a sync of nothing made %d writes, there were %d objects", len(writes), len(want))
		left := a.dump(ctx)
		t.Check(len(left) == 0, "a sync of nothing left %v", slices.Sorted(maps.Keys(left)))
	},
}

// wishes are objects of all kinds that ADC knows, as it writes them.
func (a *adc) wishes() wish {
	t, out := a.t, wish{}
	backend := map[string]any{"host": "192.0.2.1", "port": 80, "weight": 100}
	const services = 12
	for i := range services {
		name := t.Name(fmt.Sprint("service", i))
		id := adcID(name)
		out["upstreams/"+id] = map[string]any{
			"id": id, "name": name, "type": "roundrobin", "scheme": "http", "pass_host": "pass", "nodes": []any{backend},
			"timeout": map[string]any{"connect": 60, "send": 60, "read": 60}, "labels": map[string]any{"team": "a"},
		}
		out["services/"+id] = map[string]any{"id": id, "name": name, "desc": "", "hosts": []any{t.Host()}, "upstream_id": id, "labels": map[string]any{"number": fmt.Sprint(i)}}
		for n, rt := range []map[string]any{
			{"uris": []any{fmt.Sprintf("/%d", i), fmt.Sprintf("/%d/*", i)}, "methods": []any{"GET", "POST"}, "priority": i},
			{"uris": []any{fmt.Sprintf("/x%d", i)}, "vars": []any{[]any{"arg_n", "==", fmt.Sprint(i)}}, "enable_websocket": true, "plugins": map[string]any{"proxy-rewrite": map[string]any{"uri": "/"}}},
		} {
			routeName := fmt.Sprint("route", n)
			rt["name"], rt["service_id"] = routeName, id
			rt["id"] = adcID(name + "." + routeName)
			out[fmt.Sprint("routes/", rt["id"])] = rt
		}
	}
	alone := adcID(t.Name("alone"))
	out["upstreams/"+alone] = map[string]any{"id": alone, "name": t.Name("alone"), "type": "chash", "hash_on": "header", "key": "x-user", "nodes": []any{backend}}
	cert, key := selfsigned.Certificate(t)
	out["ssls/"+adcID(t.Host())] = map[string]any{"id": adcID(t.Host()), "type": "server", "snis": []any{t.Host()}, "cert": cert, "key": key}
	for i := range 3 {
		user := t.Name(fmt.Sprint("user", i))
		out["consumers/"+user] = map[string]any{"username": user, "labels": map[string]any{"number": fmt.Sprint(i)}}
		for plugin, conf := range map[string]map[string]any{"key-auth": {"key": t.Name(fmt.Sprint("key", i))}, "basic-auth": {"username": user, "password": "secret"}} {
			if i == 2 {
				continue // one without credentials: its list is 404
			}
			id := adcID(user + "." + plugin)
			out["consumers/"+user+"/credentials/"+id] = map[string]any{"id": id, "name": plugin, "plugins": map[string]any{plugin: conf}}
		}
	}
	out["global_rules/http-logger"] = map[string]any{"id": "http-logger", "plugins": map[string]any{"http-logger": map[string]any{"uri": "http://192.0.2.1:9000/log"}}}
	out["plugin_metadata/http-logger"] = map[string]any{"id": "http-logger", "log_format": map[string]any{"host": "$host"}}
	if a.streams {
		id := adcID(t.Name("stream"))
		out["stream_routes/"+id] = map[string]any{"id": id, "name": t.Name("stream"), "server_port": 9100, "upstream": map[string]any{"type": "roundrobin", "nodes": []any{backend}}}
	}
	for path := range out {
		a.known[path] = true
	}
	return out
}
