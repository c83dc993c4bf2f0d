package history

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/store"
)

// plan is how to go back to a revision.
func (l *lab) plan(rev int64, keys ...string) (*Plan, error) {
	l.t.Helper()
	return l.log().Restore(l.at(rev), "/apisix", keys)
}

func (l *lab) rollback(rev int64, keys ...string) int64 {
	l.t.Helper()
	p, err := l.plan(rev, keys...)
	if err != nil {
		l.t.Fatal(err)
	}
	at, done, err := p.Do(l.t.Context(), l.st, Who{Author: "joe", What: "rollback"})
	if err != nil || done != len(p.Groups) {
		l.t.Fatalf("%d of %d groups, %v", done, len(p.Groups), err)
	}
	return at
}

const (
	routeOfU = `{"uri":"/","upstream_id":"u"}`
	routeOfV = `{"uri":"/","upstream_id":"v"}`
	split    = `{"plugins":{"traffic-split":{"rules":[{"weighted_upstreams":[{"upstream_id":"w"}]}]}}}`
)

func TestRollbackWritesOldObjectsAsNewOnes(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		t.Run(fmt.Sprintf("compacted=%v", compacted), func(t *testing.T) {
			l := newLab(t)
			l.write("upstreams/u", `{"n":1}`, "routes/r", routeOfU)
			rev := l.write("routes/other", "{}")
			was := l.objects()
			l.write("upstreams/v", `{"n":2}`, "routes/r", routeOfV)
			l.write("upstreams/u", "-")
			l.write("routes/other", `{"x":1}`, "routes/new", "{}")
			mess := l.objects()
			messed := l.log().Revision
			if compacted {
				l.compact(messed)
			}
			at := l.rollback(rev)
			if got := l.objects(); got != was || at <= messed {
				t.Errorf("at %d got\n%s\nwant\n%s", at, got, was)
			}
			// u, v and r belong together; other and new are alone.
			byJoe := 0
			for _, e := range l.log().Entries {
				if e.Author == "joe" {
					byJoe++
				}
			}
			if byJoe != 3 {
				t.Errorf("%d transactions, want one for each group", byJoe)
			}
			l.rollback(messed) // and forth
			if got := l.objects(); got != mess {
				t.Errorf("taken back: got\n%s\nwant\n%s", got, mess)
			}
			if p, err := l.plan(messed); err != nil || len(p.Groups) != 0 {
				t.Errorf("a rollback to what is there has %d groups, %v", len(p.Groups), err)
			}
		})
	}
}

func TestRollbackOfSomeObjectsLeavesNoReferenceThatLeadsNowhere(t *testing.T) {
	l := newLab(t)
	rev := l.write("routes/r", "{}")
	l.write("upstreams/u", "{}", "upstreams/w", "{}", "routes/r", routeOfU, "routes/s", split)
	for _, keys := range [][]string{{"upstreams/u"}, {"upstreams/*"}, {"upstreams/w", "routes/r"}} {
		if _, err := l.plan(rev, keys...); err == nil || !strings.Contains(err.Error(), "would refer to") {
			t.Errorf("%v alone: got %v", keys, err)
		}
	}
	l.rollback(rev, "routes/r", "upstreams/u")
	if got, want := l.objects(), "routes/r={} routes/s="+split+" upstreams/w={}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRollbackThatMeetsAnotherWriterChangesNothingOfThatGroup(t *testing.T) {
	l := newLab(t)
	rev := l.write("routes/r", "{}", "routes/s", "{}")
	l.write("upstreams/u", "{}", "routes/r", routeOfU)
	l.write("routes/a", `{"n":1}`)
	do := func(what string, write ...string) error {
		t.Helper()
		p, err := l.plan(rev)
		if err != nil || len(p.Groups) != 2 {
			t.Fatalf("%d groups, %v", len(p.Groups), err)
		}
		l.write(write...)
		_, done, err := p.Do(t.Context(), l.st, Who{Author: "joe"})
		if err == nil || done != 1 {
			t.Errorf("%s: %d groups done, %v, want one and an error", what, done, err)
		}
		if got := l.objects(); !strings.Contains(got, "upstreams/u=") || strings.Contains(got, "routes/r={}") {
			t.Errorf("%s: got %s, want the group as it was", what, got)
		}
		l.write("routes/a", `{"n":1}`)
		return err
	}
	var conflict *store.ConflictError
	if err := do("the object is another", "upstreams/u", `{"n":2}`); !errors.As(err, &conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	if err := do("somebody refers to what is to go", "routes/s", routeOfU); !errors.Is(err, errInUse) {
		t.Errorf("got %v, want who refers to it", err)
	}
}

func TestWhoeverRefersToAnObjectSinceThePlanKeepsIt(t *testing.T) {
	l := newLab(t)
	rev := l.write("routes/r", "{}")
	l.write("upstreams/w", "{}", "ssls/c", "{}", "consumer_groups/g", "{}")
	for _, c := range []struct{ user, value, used string }{
		{"routes/x", `{"upstream_id":"w"}`, "upstreams/w"},
		{"stream_routes/x", `{"upstream_id":"w"}`, "upstreams/w"},
		{"services/x", `{"upstream_id":"w"}`, "upstreams/w"},
		{"upstreams/x", `{"tls":{"client_cert_id":"c"}}`, "ssls/c"},
		{"consumers/x", `{"group_id":"g"}`, "consumer_groups/g"},
		{"plugin_configs/x", split, "upstreams/w"},
		{"consumer_groups/x", split, "upstreams/w"},
		{"global_rules/x", split, "upstreams/w"},
	} {
		p, err := l.plan(rev, c.used)
		if err != nil || len(p.Groups) != 1 {
			t.Fatalf("%s: %d groups, %v", c.used, len(p.Groups), err)
		}
		l.write(c.user, c.value)
		if _, _, err := p.Do(t.Context(), l.st, Who{Author: "joe"}); !errors.Is(err, errInUse) {
			t.Errorf("%s refers to %s: got %v, want that it is in use", c.user, c.used, err)
		}
		l.write(c.user, "-")
	}
}

// Stream routes refer to each other: one that has a superior comes after it and goes before it,
// also where the names say otherwise and a group is several transactions.
func TestStreamRouteComesBackAfterItsSuperiorAndGoesBeforeIt(t *testing.T) {
	l := newLab(t)
	under := func(id string) string { return `{"protocol":{"name":"redis","superior_id":"` + id + `"}}` }
	pairs := []string{"stream_routes/z", `{"protocol":{"name":"redis"}}`, "stream_routes/y", under("z")}
	for i := range groupOps {
		pairs = append(pairs, fmt.Sprintf("stream_routes/%03d", i), under("y"))
	}
	proto := []string{"protos/p", "{}", "routes/r", `{"plugins":{"grpc-transcode":{"proto_id":"p"}}}`}
	empty := l.write("routes/other", "{}")
	rev := l.write(append(pairs, proto...)...)
	for _, keys := range [][]string{{"stream_routes/z"}, {"stream_routes/y"}, {"protos/*"}} {
		if _, err := l.plan(empty, keys...); err == nil || !strings.Contains(err.Error(), "would refer to") {
			t.Errorf("%v alone: got %v", keys, err)
		}
	}
	gone := l.rollback(empty)
	if got := l.objects(); got != "routes/other={}" {
		t.Errorf("got %s", got)
	}
	l.rollback(rev)
	order := func(from, upTo int64, deleted bool) (keys []string) {
		for _, e := range l.log().Entries {
			for _, c := range e.Changes {
				if e.Revision > from && e.Revision <= upTo && c.Deleted == deleted && strings.HasPrefix(c.Key, "/apisix/stream_routes/") {
					keys = append(keys, strings.TrimPrefix(c.Key, "/apisix/stream_routes/"))
				}
			}
		}
		return keys
	}
	back := order(gone, l.log().Revision, false)
	went := order(rev, gone, true)
	if n := len(back); n != groupOps+2 || back[0] != "z" || back[1] != "y" {
		t.Errorf("they came back as %v, want z and y first", back)
	}
	if n := len(went); n != groupOps+2 || went[n-2] != "y" || went[n-1] != "z" {
		t.Errorf("they went as %v, want y and z last", went)
	}
}

// What is created anew is younger than what stayed, but keeps its order among each other.
func TestRoutesThatComeBackKeepTheirOrder(t *testing.T) {
	l := newLab(t)
	ages := map[string]int64{}
	for _, id := range []string{"c", "b", "a", "stays"} {
		ages["/apisix/routes/"+id] = l.write("routes/"+id, "{}")
	}
	rev := l.log().Revision
	l.write("routes/a", "-", "routes/b", "-")
	l.write("routes/c", "-")
	l.write("routes/b", `{"n":1}`, "routes/new", "{}") // b is there, and younger than it was
	for _, compacted := range []bool{false, true} {
		if compacted {
			l.compact(l.log().Revision)
		}
		log, was := l.log(), l.at(rev)
		p, err := log.Restore(was, "/apisix", nil)
		if err != nil {
			t.Fatal(err)
		}
		young, old := p.Outcome(log, was)
		if listed(young.Objects) != "routes/a={} routes/b={} routes/c={} routes/stays={}" || !maps.Equal(old.Created, ages) {
			t.Errorf("compacted %v: got %s of %v, want %v", compacted, listed(young.Objects), old.Created, ages)
		}
		a, b, c := young.Created["/apisix/routes/a"], young.Created["/apisix/routes/b"], young.Created["/apisix/routes/c"]
		if b != log.Objects["/apisix/routes/b"].Create || c <= log.Revision || a <= c || young.Created["/apisix/routes/stays"] != ages["/apisix/routes/stays"] {
			t.Errorf("compacted %v: got %v, want what is there as it is, then c, then a", compacted, young.Created)
		}
	}
	l.rollback(rev)
	if now := l.log().Now().Created; now["/apisix/routes/c"] >= now["/apisix/routes/a"] {
		t.Errorf("they were created in the order of %v, want c before a", now)
	}
}

func TestLargeGroupTakesSeveralTransactions(t *testing.T) {
	l := newLab(t)
	l.write("upstreams/u", "{}")
	const n = 150
	for i := range n {
		l.write(fmt.Sprintf("routes/%03d", i), routeOfU)
	}
	all := l.objects()
	rev := l.log().Revision
	for i := range n {
		l.write(fmt.Sprintf("routes/%03d", i), "-")
	}
	l.write("upstreams/u", "-")
	empty := l.log().Revision
	p, err := l.plan(rev)
	if err != nil || len(p.Groups) != 1 || p.Groups[0].Transactions != 3 || len(p.Groups[0].Changes) != n+1 {
		t.Fatalf("got %+v, %v, want one group of three transactions", p, err)
	}
	l.rollback(rev)
	if got := l.objects(); got != all {
		t.Errorf("got %d bytes of objects, want %d", len(got), len(all))
	}
	l.rollback(empty)
	if got := l.objects(); got != "" {
		t.Errorf("got %s, want nothing", got)
	}
}

func TestDifferencesNameMembersAndHideSecrets(t *testing.T) {
	for _, tc := range []struct{ name, from, to, want string }{
		{"changed", `{"a":{"b":1,"c":[1]},"update_time":1}`, `{"a":{"b":2,"c":[1]},"update_time":2}`, "[{a.b 1 2}]"},
		{"added", "", `{"uri":"/<x>","n":{"h:80":1}}`, `[{n.h:80  1} {uri  "/<x>"}]`},
		{"removed", `{"uri":"/"}`, "", `[{uri "/" }]`},
		{"list", `{"a":[1,2]}`, `{"a":[2]}`, "[{a [1,2] [2]}]"},
		{"key", `{"key":"x","tls":{"client_key":"x"}}`, `{"key":"y","tls":{"client_key":"y"}}`, "[{key (secret) (secret)} {tls.client_key (secret) (secret)}]"},
		{"token", "", `{"uri":"a","token":"hvs.x","auth_config":{"private_key":"x"}}`, `[{auth_config.private_key  (secret)} {token  (secret)} {uri  "a"}]`},
		{"within lists", `{"brokers":[]}`, `{"brokers":[{"host":"a","sasl_config":{"password":"x"}}]}`, `[{brokers [] [{"host":"a","sasl_config":{"password":"(secret)"}}]}]`},
		{"other names", "", `{"plugins":{"openid-connect":{"client_rsa_private_key":"x"},"loggly":{"customer_token":"x"},"serverless":{"apiKey":"x","Authorization":"x"}}}`,
			"[{plugins.loggly.customer_token  (secret)} {plugins.openid-connect.client_rsa_private_key  (secret)} {plugins.serverless.Authorization  (secret)} {plugins.serverless.apiKey  (secret)}]"},
		{"names", "", `{"plugins":{"limit-count":{"redis_password":"x"},"openid-connect":{"client_secret":"x"},"secret":{"a":"b"}}}`,
			"[{plugins.limit-count.redis_password  (secret)} {plugins.openid-connect.client_secret  (secret)} {plugins.secret.a  \"b\"}]"},
		{"references", `{"key":"x"}`, `{"key":"$secret://vault/1/a/b","keys":["$env://A"]}`, `[{key (secret) "$secret://vault/1/a/b"} {keys  (secret)}]`},
		{"plugin with its defaults", `{"uri":"/"}`, `{"uri":"/","plugins":{"key-auth":{}}}`, "[{plugins.key-auth  {}}]"},
		{"such a plugin goes", `{"plugins":{"key-auth":{},"cors":{}}}`, `{"plugins":{"cors":{}}}`, "[{plugins.key-auth {} }]"},
		{"all plugins go", `{"plugins":{"key-auth":{}}}`, `{"plugins":{}}`, `[{plugins {"key-auth":{}} {}}]`},
		{"empty added", "", `{"a":{},"b":[],"c":{"d":{},"e":[]}}`, "[{a  {}} {b  []} {c.d  {}} {c.e  []}]"},
		{"empty removed", `{"a":{},"b":[],"c":{"d":{}}}`, "", "[{a {} } {b [] } {c.d {} }]"},
		{"emptied", `{"nodes":{"h:80":1},"plugins":{"key-auth":{"key":"x"}}}`, `{"nodes":{},"plugins":{"key-auth":{}}}`,
			`[{nodes {"h:80":1} {}} {plugins.key-auth {"key":"(secret)"} {}}]`},
		{"filled", `{"nodes":{}}`, `{"nodes":{"h:80":1}}`, `[{nodes {} {"h:80":1}}]`},
		{"empty becomes another kind", `{"a":{},"b":[]}`, `{"a":[],"b":1}`, "[{a {} []} {b [] 1}]"},
		{"object without members", "", "{}", "[]"},
		{"key of a hash", `{"type":"chash","key":"uri","upstream":{"type":"chash","key":"uri"}}`, `{"type":"chash","key":"arg_x","upstream":{"type":"roundrobin","key":"arg_x"}}`,
			`[{key "uri" "arg_x"} {upstream.key "uri" (secret)} {upstream.type "chash" "roundrobin"}]`},
		{"what is counted by", "", `{"plugins":{"limit-count":{"key":"remote_addr","redis_password":"x"},"key-auth":{"key":"x"}}}`,
			`[{plugins.key-auth.key  (secret)} {plugins.limit-count.key  "remote_addr"} {plugins.limit-count.redis_password  (secret)}]`},
		{"keys within lists", `{}`, `{"rules":[{"upstream":{"type":"chash","key":"uri"}},{"key":"x"}]}`, `[{rules  [{"upstream":{"key":"uri","type":"chash"}},{"key":"(secret)"}]}]`},
		{"junk", "\xff", `{"a":1}`, "[{ \uFFFD {\"a\":1}}]"},
		{"same", `{"a":1, "b":2}`, `{"b":2,"a":1}`, "[]"},
	} {
		object := func(s string) Object {
			if s == "" {
				return nil
			}
			return Object(s)
		}
		if got := fmt.Sprint(Compare(object(tc.from), object(tc.to))); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}
