package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/route"
)

type none struct{}

func (none) Var(string) (string, bool) { return "", false }
func (none) Value(string) (any, bool)  { return nil, false }

func put(kind Kind, id, value string) Change {
	return Change{Kind: kind, ID: id, Key: fmt.Sprintf("/k/%d/%s", kind, id), Value: []byte(value), Create: 1}
}

func del(kind Kind, id string) Change {
	return Change{Kind: kind, ID: id, Key: fmt.Sprintf("/k/%d/%s", kind, id), Delete: true}
}

func must(t *testing.T, s *Snapshot, cs ...Change) *Snapshot {
	t.Helper()
	next, d := s.Apply(cs)
	for k, err := range d.Refused {
		t.Fatalf("%s refused: %v", k, err)
	}
	return next
}

func match(s *Snapshot, host, path string) string {
	q := route.Query{Local: netip.MustParseAddrPort("203.0.113.10:80"), Method: "GET", Host: host, Path: path, Vars: none{}}
	if r := s.Match(&q); r != nil {
		return r.ID
	}
	return "-"
}

const up = `{"nodes":{"10.0.0.1:80":1}}`

func TestRefusedObjectKeepsItsPreviousVersionAndOthersGoOn(t *testing.T) {
	s := must(t, &Snapshot{}, put(Routes, "1", `{"uri":"/old","upstream":`+up+`}`))
	next, d := s.Apply([]Change{
		put(Routes, "1", `{"uri":"/new","methods":["NOPE"],"upstream":`+up+`}`),
		put(Routes, "2", `{"uri":"/two","upstream":`+up+`}`),
		put(Upstreams, "9", `init_dir`),
	})
	if len(d.Refused) != 2 || d.Refused["/k/1/1"] == nil || !slices.Equal(d.Accepted, []string{"/k/1/2"}) {
		t.Fatalf("refused %v, accepted %v", d.Refused, d.Accepted)
	}
	if got := match(next, "", "/old") + match(next, "", "/new") + match(next, "", "/two"); got != "1-2" {
		t.Errorf("matches %s, want 1-2", got)
	}
	if got := match(s, "", "/two"); got != "-" {
		t.Errorf("the old snapshot has changed: %s", got)
	}
}

func TestWhatTheGatewayCannotDoIsRefusedNotLeftOut(t *testing.T) {
	for value, want := range map[string]string{
		`{"uri":"/","upstream":{"nodes":{"a:1":1},"type":"chash","key":"uri"}}`:            "upstream type chash",
		`{"uri":"/","upstream":{"nodes":{"a:1":1},"scheme":"kafka"}}`:                      "upstream scheme kafka",
		`{"uri":"/","upstream":{"service_name":"x","discovery_type":"dns"}}`:               "service discovery",
		`{"uri":"/","filter_func":"function(vars) return true end","upstream":` + up + `}`: "filter_func (Lua)",
	} {
		_, d := (&Snapshot{}).Apply([]Change{put(Routes, "1", value)})
		var u Unsupported
		if err := d.Refused["/k/1/1"]; !errors.As(err, &u) && (err == nil || !strings.Contains(err.Error(), "plugin")) || errors.As(err, &u) && string(u) != want {
			t.Errorf("%s: %v, want it refused for %s", value, err, want)
		}
	}
}

func TestUnchangedObjectsAreShared(t *testing.T) {
	s := must(t, &Snapshot{}, put(Upstreams, "1", up), put(Upstreams, "2", up), put(Routes, "1", `{"uri":"/1","upstream_id":"1"}`))
	next, d := s.Apply([]Change{put(Upstreams, "2", `{"nodes":{"10.0.0.9:80":1}}`)})
	if len(d.Upstreams) != 1 || d.Upstreams["upstreams/2"] == nil {
		t.Errorf("changed upstreams %v, want one", d.Upstreams)
	}
	a, _ := s.upstreams.Get("1")
	b, _ := next.upstreams.Get("1")
	ra, _ := s.routes.Get("1")
	rb, _ := next.routes.Get("1")
	if a != b || ra != rb {
		t.Error("an object that was not touched was rebuilt")
	}
	_, d = next.Apply([]Change{del(Upstreams, "2"), del(Routes, "1")})
	if gone, ok := d.Upstreams["upstreams/2"]; !ok || gone != nil {
		t.Errorf("deleted upstream is reported as %v", d.Upstreams)
	}
}

func TestCostOfAChangeDoesNotFollowTheNumberOfObjects(t *testing.T) {
	cost := func(n int) float64 {
		var cs []Change
		for i := range n {
			cs = append(cs, put(Routes, fmt.Sprint(i), fmt.Sprintf(`{"uri":"/r%d/*","host":"h%d.example","upstream_id":"1"}`, i, i)))
		}
		s := must(t, &Snapshot{}, append(cs, put(Upstreams, "1", up))...)
		one := []Change{put(Routes, "0", `{"uri":"/changed","host":"h0.example","upstream_id":"1"}`), put(Upstreams, "1", up)}
		return testing.AllocsPerRun(20, func() { s.Apply(one) })
	}
	if small, big := cost(50), cost(3000); big > 2*small {
		t.Errorf("a change allocates %v times at 50 routes, %v at 3000", small, big)
	}
}

func TestHostsOfAServiceBindItsRoutesAndFollowItsChanges(t *testing.T) {
	s := must(t, &Snapshot{},
		put(Routes, "heir", `{"uri":"/h","service_id":"s"}`),
		put(Routes, "own", `{"uri":"/o","host":"own.example","service_id":"s"}`),
		put(Services, "s", `{"hosts":["a.example"],"upstream":`+up+`}`)) // after its routes
	if got := match(s, "a.example", "/h") + match(s, "b.example", "/h") + match(s, "own.example", "/o"); got != "heir-own" {
		t.Fatalf("matches %s", got)
	}
	s = must(t, s, put(Services, "s", `{"hosts":["b.example"],"upstream":`+up+`}`))
	if got := match(s, "a.example", "/h") + match(s, "b.example", "/h"); got != "-heir" {
		t.Errorf("after the service moved: %s", got)
	}
	s = must(t, s, del(Services, "s"))
	if got := match(s, "c.example", "/h"); got != "heir" {
		t.Errorf("without its service a route stays, for any host: %s", got)
	}
	r, _ := s.routes.Get("heir")
	var m *MissingError
	if _, err := s.Resolve(r); !errors.As(err, &m) || m.What != MissingService {
		t.Errorf("Resolve: %v, want the missing service", err)
	}
	s = must(t, s, del(Routes, "heir"), del(Routes, "own"))
	if got := match(s, "c.example", "/h") + match(s, "own.example", "/o"); s.heirs.Len() != 0 || got != "--" {
		t.Errorf("%d heirs are left, matches %s", s.heirs.Len(), got)
	}
}

func TestHostsOfAServiceMoveItsRoutesInOneEdit(t *testing.T) {
	const heirs = 1000
	cs := []Change{put(Services, "s", `{"hosts":["a.example"],"upstream":`+up+`}`)}
	for i := range heirs {
		cs = append(cs, put(Routes, fmt.Sprint(i), fmt.Sprintf(`{"uri":"/%d","service_id":"s"}`, i)))
	}
	s := must(t, &Snapshot{}, cs...)
	all := func(s *Snapshot, host string) (n int) {
		for i := range heirs {
			if match(s, host, fmt.Sprint("/", i)) == fmt.Sprint(i) {
				n++
			}
		}
		return n
	}
	move := []Change{put(Services, "s", `{"hosts":["b.example"],"upstream":`+up+`}`)}
	moved := must(t, s, move...)
	if got, want := [4]int{all(s, "a.example"), all(s, "b.example"), all(moved, "a.example"), all(moved, "b.example")}, [4]int{heirs, 0, 0, heirs}; got != want {
		t.Errorf("routes by host, before and after: %v, want %v", got, want)
	}
	if got := testing.AllocsPerRun(3, func() { s.Apply(move) }) / heirs; got > 14 {
		t.Errorf("%v allocations for each route that is moved, want at most 14", got)
	}
	same, d := moved.Apply([]Change{put(Services, "s", `{"hosts":["*a*"],"upstream":`+up+`}`)})
	if got := all(same, "b.example"); len(d.Refused) != 1 || got != heirs {
		t.Errorf("%d are refused, and %d routes stay, want one and all", len(d.Refused), got)
	}
}

func TestSchemeOfAnUpstreamSaysWhatItsTargetsSpeak(t *testing.T) {
	for _, tc := range []struct {
		scheme     string
		port       int
		tls, http2 bool
	}{{"http", 80, false, false}, {"https", 443, true, false}, {"grpc", 80, false, true}, {"grpcs", 443, true, true}} {
		s := must(t, &Snapshot{}, put(Upstreams, "1", `{"nodes":[{"host":"a.example","weight":1},{"host":"b.example","port":81,"weight":1}],"scheme":"`+tc.scheme+`","tls":{"verify":true}}`))
		up, _ := s.upstreams.Get("1")
		own, other := up.Targets[0], up.Targets[1]
		if own.Pool.Address != fmt.Sprintf("a.example:%d", tc.port) || own.HostHeader != "a.example" || other.HostHeader != "b.example:81" {
			t.Errorf("%s: address %s, Host %s and %s", tc.scheme, own.Pool.Address, own.HostHeader, other.HostHeader)
		}
		if p := other.Pool; p.TLS != tc.tls || p.Verify != tc.tls || p.HTTP2 != tc.http2 || up.secure() != tc.tls {
			t.Errorf("%s: %+v", tc.scheme, p)
		}
	}
}

func TestGenerationAndZoneComeFromNodeMetadata(t *testing.T) {
	s := must(t, &Snapshot{}, put(Upstreams, "1", `{"nodes":[{"host":"100.64.0.1","port":8080,"weight":1,"metadata":{"unilb":{"generation":7,"zone":"az1"}}},{"host":"a.example","port":80,"weight":2,"priority":-1}],"retries":4,"scheme":"http"}`))
	u, _ := s.upstreams.Get("1")
	if a := u.Targets[0]; a.Pool.Generation != 7 || a.Zone != "az1" || a.Pool.Address != "100.64.0.1:8080" || a.HostHeader != "100.64.0.1:8080" {
		t.Errorf("first target %+v", a)
	}
	if b := u.Targets[1]; b.HostHeader != "a.example" || u.Members[1].Weight != 2 || u.Members[1].Priority != -1 || u.Tries != 5 {
		t.Errorf("second target %+v, %+v, tries %d", b, u.Members[1], u.Tries)
	}
}

func TestTriesOfARequestAreBounded(t *testing.T) {
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf(`"10.0.0.%d:80":1`, i)
	}
	nodes := `{"nodes":{` + strings.Join(many, ",") + `}`
	for value, want := range map[string]int{
		up: 1, nodes + `}`: maxTries, nodes + `,"retries":0}`: 1, nodes + `,"retries":3}`: 4, nodes + `,"retries":15}`: maxTries,
		nodes + `,"retries":20000}`: maxTries, nodes + `,"retries":9223372036854775807}`: maxTries, `{"nodes":{}}`: 1,
	} {
		u, _ := must(t, &Snapshot{}, put(Upstreams, "1", value)).upstreams.Get("1")
		if u.Tries != want {
			t.Errorf("%s: %d tries, want %d", value, u.Tries, want)
		}
	}
}

func TestListenerIsRefusedInWords(t *testing.T) {
	for value, want := range map[string]string{
		`{"address":"203.0.113.10","port":99999,"protocol":"http"}`:   "listener a: port 99999 is out of range, want 1 to 65535",
		`{"address":"203.0.113.10","port":-1,"protocol":"http"}`:      "listener a: port -1 is out of range, want 1 to 65535",
		`{"address":"203.0.113.10","port":"80","protocol":"http"}`:    "listener a: port may not be a string",
		`{"address":"203.0.113.10","port":80.5,"protocol":"http"}`:    "listener a: port may not be a number 80.5",
		`{"address":"203.0.113.10","port":65536,"protocol":"http"}`:   "listener a: port 65536 is out of range, want 1 to 65535",
		`{"address":"203.0.113.10","protocol":"http"}`:                "listener a has no port",
		`{"address":"203.0.113.1000","port":80,"protocol":"http"}`:    "listener a: ParseAddr(\"203.0.113.1000\"): IPv4 field has value >255",
		`[{"address":"203.0.113.10","port":80,"protocol":"http"}]`:    "listener a: json: cannot unmarshal array",
		`{"address":"203.0.113.10","port":65535,"protocol":"gopher"}`: "listener protocol gopher",
	} {
		if _, err := compileListener("a", []byte(value)); err == nil || !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), "gopher") {
			t.Errorf("%s: got %v, want %s", value, err, want)
		}
	}
}

func TestListenersComeAndGo(t *testing.T) {
	s, d := (&Snapshot{}).Apply([]Change{
		put(Listeners, "shop.web", `{"id":"shop.web","address":"203.0.113.10","port":80,"protocol":"http","new_field":1}`),
		put(Listeners, "tls", `{"address":"203.0.113.10","port":443,"protocol":"https"}`),
		put(Listeners, "tcp", `{"address":"203.0.113.10","port":22,"protocol":"tcp"}`),
		put(Listeners, "none", `{"port":443,"protocol":"http"}`),
	})
	if len(d.Refused) != 2 || !d.ListenersChanged || len(s.Listeners()) != 2 {
		t.Fatalf("listeners %v, refused %v", s.Listeners(), d.Refused)
	}
	for _, l := range s.Listeners() {
		if l.TLS != (l.At.Port() == 443) {
			t.Errorf("%s: TLS %t", l.At, l.TLS)
		}
	}
	s = must(t, s, del(Listeners, "tls"))
	if l := s.Listeners(); len(l) != 1 || l[0].At.String() != "203.0.113.10:80" {
		t.Errorf("a deleted listener stays: %v", l)
	}
}
