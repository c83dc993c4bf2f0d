package decide

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/route"
)

// state is one of objects, keys below /apisix.
func state(pairs ...string) *history.State {
	s := &history.State{Objects: map[string]history.Object{}, Created: map[string]int64{}}
	for i := 0; i < len(pairs); i += 2 {
		s.Objects["/apisix/"+pairs[i]] = history.Object(pairs[i+1])
		s.Created["/apisix/"+pairs[i]] = int64(i + 1)
	}
	return s
}

func told(r Result) []string {
	var out []string
	for _, d := range r.Decisions {
		out = append(out, fmt.Sprintf("%s: %s -> %s", d.Request, d.From, d.To))
	}
	return out
}

func TestDecisionsThatChangeAreTold(t *testing.T) {
	const (
		u    = `{"type":"roundrobin","nodes":{"10.0.0.1:80":1}}`
		u2   = `{"type":"roundrobin","nodes":{"10.0.0.2:80":3}}`
		shop = `{"uri":"/*","host":"shop.example","upstream_id":"u"}`
	)
	const from = " from 198.51.100.77"
	for _, tc := range []struct {
		name string
		a, b *history.State
		want []string
	}{
		{"nothing", state("upstreams/u", u, "routes/shop", shop), state("upstreams/u", u, "routes/shop", shop), nil},
		{"only what does not matter", state("upstreams/u", u, "routes/shop", shop), state("upstreams/u", u, "routes/shop", strings.Replace(shop, "{", `{"desc":"x",`, 1)), nil},
		{"a shared upstream", state("upstreams/u", u, "routes/shop", shop), state("upstreams/u", u2, "routes/shop", shop), []string{
			"GET http://shop.example/x" + from + ": route shop, upstreams/u: 10.0.0.1:80*1 -> route shop, upstreams/u: 10.0.0.2:80*3",
			"GET http://shop.example/" + from + ": route shop, upstreams/u: 10.0.0.1:80*1 -> route shop, upstreams/u: 10.0.0.2:80*3",
		}},
		{"a route that takes from another", state("upstreams/u", u, "routes/shop", shop),
			state("upstreams/u", u, "routes/shop", shop, "routes/cart", `{"uri":"/cart","host":"shop.example","methods":["POST"],"upstream":`+u2+`}`), []string{
				"POST http://shop.example/cart" + from + ": route shop, upstreams/u: 10.0.0.1:80*1 -> route cart, routes/cart: 10.0.0.2:80*3",
			}},
		{"a route that goes", state("upstreams/u", u, "routes/shop", `{"uri":"/a","hosts":["*.shop.example"],"upstream_id":"u"}`), state("upstreams/u", u), []string{
			"GET http://a.shop.example/a" + from + ": route shop, upstreams/u: 10.0.0.1:80*1 -> no route",
		}},
		{"a reference that leads nowhere", state("upstreams/u", u, "routes/shop", `{"uri":"/a","upstream_id":"u"}`), state("routes/shop", `{"uri":"/a","upstream_id":"u"}`), []string{
			"GET http://any.example/a" + from + ": route shop, upstreams/u: 10.0.0.1:80*1 -> route shop: upstream u does not exist",
		}},
		{"a condition, a listener and a source", state(),
			state("routes/v", `{"uri":"/a","remote_addr":"10.9.0.0/16","vars":[["server_addr","==","203.0.113.9"],["server_port","==","443"],["http_x_kind","in",["beta","x"]],["arg_n",">",3]],"upstream":`+u+`}`), []string{
				"GET http://any.example/a from 10.9.0.1 at 203.0.113.9:443 arg_n=4 http_x_kind=beta: no route -> route v, routes/v: 10.0.0.1:80*1",
			}},
		{"secrets that are kept elsewhere", state(), state("routes/r", `{"uri":"/a","upstream":{"scheme":"https","nodes":{"10.0.0.1:443":1},"tls":{"client_cert":"$env://C","client_key":"$env://K"}}}`), []string{
			"GET http://any.example/a" + from + ": no route -> route r, routes/r: 10.0.0.1:443*1",
		}},
		{"hosts of a service", state("services/s", `{"hosts":["a.example"],"upstream":`+u+`}`, "routes/r", `{"uri":"/a","service_id":"s"}`),
			state("services/s", `{"hosts":["b.example"],"upstream":`+u+`}`, "routes/r", `{"uri":"/a","service_id":"s"}`), []string{
				"GET http://a.example/a" + from + ": route r, services/s: 10.0.0.1:80*1 -> no route",
				"GET http://b.example/a" + from + ": no route -> route r, services/s: 10.0.0.1:80*1",
			}},
	} {
		r := Compare(Options{Objects: "/apisix"}, tc.a, tc.b)
		if got := told(r); !slices.Equal(got, tc.want) || r.Requests == 0 {
			t.Errorf("%s: %d requests, got\n%s\nwant\n%s", tc.name, r.Requests, strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
		}
	}
}

func TestRequestsMayBeOfSomeRoutes(t *testing.T) {
	const at = `"upstream":{"nodes":{"10.0.0.1:80":1}}}`
	both := state("routes/a", `{"uri":"/a",`+at, "routes/b", `{"uri":"/b",`+at)
	r := Compare(Options{Objects: "/apisix", Routes: []string{"b", "none"}}, both, state())
	if got, want := told(r), []string{"GET http://any.example/b from 198.51.100.77: route b, routes/b: 10.0.0.1:80*1 -> no route"}; !slices.Equal(got, want) || r.Requests != 1 {
		t.Errorf("%d requests, got %q, want %q", r.Requests, got, want)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	many := state()
	for i := range 1000 {
		many.Objects[fmt.Sprintf("/apisix/routes/%04d", i)] = history.Object(fmt.Sprintf(
			`{"uris":["/a","/b","/c","/d","/e","/f","/g","/h"],"hosts":["h%d.example","i%d.example"],"methods":["GET","PUT","POST","PATCH","DELETE"],"upstream":{"nodes":{"10.0.0.1:80":1}}}`, i, i))
	}
	r := Compare(Options{Objects: "/apisix"}, many, state())
	if r.Requests != MaxRequests || !r.LeftOut || len(r.Decisions) != MaxRequests {
		t.Errorf("%d requests, %d decisions, more left out: %v; want %d of both and more", r.Requests, len(r.Decisions), r.LeftOut, MaxRequests)
	}
}

// What becomes of a request depends on the router that gateways have.
func TestDecisionsAreThoseOfTheRouter(t *testing.T) {
	const at = `"upstream":{"nodes":{"10.0.0.1:80":1}}}`
	const from = " from 198.51.100.77"
	exact, wild := `{"host":"a.example","uri":"/*",`+at, `{"host":"*.example","uri":"/p","priority":1,`+at
	before := state("routes/exact", exact)
	after := state("routes/exact", exact, "routes/wild", wild, "routes/host", `{"host":"a.example","uri":"/p","methods":["PUT"],`+at)
	port := state("routes/port", `{"host":"a.example:8080","uri":"/p",`+at)
	user := state("routes/user", `{"uri":"/user/:id","vars":[["uri_param_id","==","7"]],`+at)
	for _, tc := range []struct {
		router route.Router
		a, b   *history.State
		want   []string
	}{
		{route.HostURI, before, after, []string{
			"PUT http://a.example/p" + from + ": route exact, routes/exact: 10.0.0.1:80*1 -> route host, routes/host: 10.0.0.1:80*1",
		}},
		{route.URI, before, after, []string{
			"PUT http://a.example/p" + from + ": route exact, routes/exact: 10.0.0.1:80*1 -> route wild, routes/wild: 10.0.0.1:80*1",
			"GET http://a.example/p" + from + ": route exact, routes/exact: 10.0.0.1:80*1 -> route wild, routes/wild: 10.0.0.1:80*1",
		}},
		{route.HostURI, state(), port, nil}, // it never matches
		{route.URI, state(), port, []string{"GET http://a.example:8080/p" + from + ": no route -> route port, routes/port: 10.0.0.1:80*1"}},
		{route.URI, state(), user, nil}, // a colon is a colon
		{route.URIWithParameter, state(), user, []string{"GET http://any.example/user/7" + from + ": no route -> route user, routes/user: 10.0.0.1:80*1"}},
		{route.URIWithParameter, state(), state("routes/user", `{"uri":"/user/:id/*",`+at), []string{
			"GET http://any.example/user/x/x" + from + ": no route -> route user, routes/user: 10.0.0.1:80*1",
			"GET http://any.example/user/x/" + from + ": no route -> route user, routes/user: 10.0.0.1:80*1",
		}},
	} {
		if got := told(Compare(Options{Objects: "/apisix", Router: tc.router}, tc.a, tc.b)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.router, strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
		}
	}
}
