package admin

import (
	"context"
	"crypto/sha1" //nolint:gosec // what ADC makes ids of; it protects nothing
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// An adc calls the Admin API as ADC 0.28 does: which calls, in which order, how many
// at once, how often again. What it does with the answers is no more than that needs.
type adc struct {
	t       *spec.T
	known   map[string]bool // paths that were ever wanted: others in the store are not its own
	streams bool            // the gateway has routes of connections

	mu     sync.Mutex
	writes []string // "PUT /routes/…" of the sync under way, and what it was answered
}

// A wish is what a gateway should have: objects by path ("services/<id>") as they are
// put. What a service sends its requests to is put as an upstream with its id.
type wish map[string]map[string]any

// adcID is how ADC names what has a name: "service.route" for routes.
func adcID(name string) string {
	sum := sha1.Sum([]byte(name)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// How ADC repeats a request that was answered with any error.
const (
	adcTries  = 1 + 3
	adcPause  = 100 * time.Millisecond
	adcAtOnce = 10 // requests of one group
)

// versionOf is how ADC finds out what the gateway can do.
var versionOf = regexp.MustCompile(`APISIX/(\d+)\.(\d+)`)

// probe asks for the version. Without one ADC takes the gateway for the newest.
func (a *adc) probe(ctx context.Context) {
	r := a.t.Call(ctx, get("/routes"))
	v := versionOf.FindStringSubmatch(r.Header.Get("Server"))
	a.t.Check(r.Status == http.StatusOK && v != nil, "probe: got %s with Server %q, want 200 and APISIX/ with a version", r, r.Header.Get("Server"))
}

// adcLists are read at once; one of them may be refused.
var adcLists = []string{"services", "routes", "upstreams", "ssls", "consumers", "plugin_configs", "global_rules", "plugin_metadata", "stream_routes"}

// dump reads what is there, of what was ever wanted: values by path, without id and
// times.
func (a *adc) dump(ctx context.Context) wish {
	out := wish{}
	var mu sync.Mutex
	var users []string
	atATime(len(adcLists), len(adcLists), func(i int) {
		kind := adcLists[i]
		r := a.t.Call(ctx, get("/"+kind))
		if kind == "stream_routes" && r.Status >= http.StatusBadRequest {
			return // tolerated: it has none
		}
		mu.Lock()
		defer mu.Unlock()
		a.streams = a.streams || kind == "stream_routes"
		users = append(users, a.take(out, kind, r)...)
	})
	atATime(len(users), adcAtOnce, func(i int) {
		dir := "consumers/" + users[i] + "/credentials"
		r := a.t.Call(ctx, get("/"+dir))
		if r.Status == http.StatusNotFound {
			return // tolerated: the consumer has none
		}
		mu.Lock()
		defer mu.Unlock()
		a.take(out, dir, r)
	})
	return out
}

// take adds the objects of a list, and returns the consumers among them.
func (a *adc) take(out wish, dir string, r spec.Reply) (users []string) {
	list, ok := r.JSON()["list"].([]any)
	if !a.t.Check(r.Status == http.StatusOK && ok, "GET /%s: got %s, want a list", dir, r) {
		return nil
	}
	for _, item := range list {
		key, _ := in(item, "key").(string)
		value, _ := in(item, "value").(map[string]any)
		if _, named := value["username"]; dir == "consumers" {
			a.t.Check(named, "GET /consumers: %s has no username: it is no consumer", text(value))
		}
		path := dir + "/" + key[strings.LastIndexByte(key, '/')+1:]
		if value == nil || !a.known[path] {
			continue
		}
		if name, ok := value["username"].(string); ok {
			users = append(users, name)
		}
		for _, of := range []string{"id", "create_time", "update_time"} {
			delete(value, of)
		}
		out[path] = value
	}
	return users
}

// comparable is an object as ADC compares it: private keys are never read, and ids
// are part of the path.
func comparable(path string, v map[string]any) string {
	v = maps.Clone(v)
	delete(v, "id")
	if strings.HasPrefix(path, "ssls/") {
		delete(v, "key")
		delete(v, "keys")
	}
	return text(v)
}

// sync makes what is there into what is wanted, and returns the writes that it took.
func (a *adc) sync(ctx context.Context, want wish) []string {
	a.probe(ctx)
	have := a.dump(ctx)
	for path := range want {
		a.known[path] = true
	}
	remove, update, create := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for path := range have {
		if want[path] == nil {
			remove[path] = true
		} else if comparable(path, have[path]) != comparable(path, want[path]) {
			update[path] = true
		}
	}
	for path := range want {
		if have[path] == nil {
			create[path] = true
		}
	}
	a.writes = nil
	for _, group := range adcGroups(remove, update, create) {
		atATime(len(group), adcAtOnce, func(i int) {
			for _, c := range group[i] {
				a.write(ctx, c, want)
			}
		})
	}
	return a.writes
}

// An adcCall is a write; calls of one step follow each other.
type adcCall struct{ method, path string }

// adcGroups are the writes in the order of ADC. A service is two objects: deleted
// before its upstream, and put after it.
func adcGroups(remove, update, create map[string]bool) (groups [][][]adcCall) {
	group := func(method string, of map[string]bool, kind string, match func(string) bool) {
		var steps [][]adcCall
		for _, path := range slices.Sorted(maps.Keys(of)) {
			if dir, _, _ := strings.Cut(path, "/"); dir == kind && match(path) {
				steps = append(steps, []adcCall{{method, path}})
			}
		}
		if steps != nil {
			groups = append(groups, steps)
		}
	}
	any := func(string) bool { return true }
	user := func(path string) bool { return !strings.Contains(path, "/credentials/") }
	for _, kind := range []string{"routes", "stream_routes", "services", "upstreams"} {
		group(http.MethodDelete, remove, kind, any)
	}
	group(http.MethodDelete, remove, "consumers", user)
	group(http.MethodDelete, remove, "ssls", any)
	group(http.MethodPut, create, "ssls", any)
	group(http.MethodPut, update, "ssls", any)
	for _, kind := range []string{"routes", "stream_routes", "upstreams", "services"} {
		group(http.MethodPut, update, kind, any)
	}
	group(http.MethodPut, update, "consumers", user)
	for _, kind := range []string{"upstreams", "services", "routes", "stream_routes"} {
		group(http.MethodPut, create, kind, any)
	}
	group(http.MethodPut, create, "consumers", user)
	for _, kind := range []string{"global_rules", "plugin_metadata"} {
		group(http.MethodDelete, remove, kind, any)
		group(http.MethodPut, create, kind, any)
		group(http.MethodPut, update, kind, any)
	}
	credential := func(path string) bool { return !user(path) }
	group(http.MethodDelete, remove, "consumers", credential)
	group(http.MethodPut, create, "consumers", credential)
	group(http.MethodPut, update, "consumers", credential)
	return groups
}

// write makes a call as often as ADC does, and notes what came of it.
func (a *adc) write(ctx context.Context, c adcCall, want wish) {
	call := spec.Call{Method: c.method, Path: "/" + c.path}
	if c.method == http.MethodPut {
		body, err := json.Marshal(want[c.path])
		if err != nil {
			a.t.Brokenf("%v", err)
		}
		call.Body = string(body)
	}
	a.t.Track(c.path)
	var r spec.Reply
	for try := range adcTries {
		if try > 0 {
			select {
			case <-time.After(adcPause):
			case <-ctx.Done():
				return
			}
		}
		if r = a.t.Call(ctx, call); r.Status < http.StatusBadRequest {
			break
		}
	}
	a.t.Check(r.Status < http.StatusBadRequest, "%s /%s: got %s, after %d tries", c.method, c.path, r, adcTries)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writes = append(a.writes, fmt.Sprintf("%s %s", c.method, c.path))
}
