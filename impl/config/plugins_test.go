package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestWhatGuardsARouteClosesItAndTheRestIsSkipped(t *testing.T) {
	for _, tc := range []struct {
		route, service string // their plugins
		closed         string // by these plugins; "": served
		skipped        string
	}{
		{`{}`, `{}`, "", ""},
		{`{"gzip":{},"request-id":{}}`, `{}`, "", "request-id gzip"},
		{`{"key-auth":{},"gzip":{}}`, `{}`, "key-auth", "gzip"},
		{`{"limit-count":{"count":1,"time_window":1},"ip-restriction":{"whitelist":["::1"]}}`, `{}`, "ip-restriction, limit-count", ""},
		{`{"key-auth":{"_meta":{"disable":true}}}`, `{}`, "", ""},
		{`{"key-auth":[],"gzip":[]}`, `{}`, "key-auth", "gzip"},
		{`{}`, `{"key-auth":{},"gzip":{}}`, "key-auth", "gzip"},
		{`{"gzip":{}}`, `{"csrf":{"key":"a"},"request-id":{}}`, "csrf", "request-id gzip"},
		// A plugin of the route replaces that of its service, also one that is switched off.
		{`{"key-auth":{"_meta":{"disable":true}}}`, `{"key-auth":{},"basic-auth":{}}`, "basic-auth", ""},
		{`{"key-auth":{"_meta":{"disable":true}},"gzip":{}}`, `{"key-auth":{},"gzip":{}}`, "", "gzip"},
		{`{"basic-auth":{}}`, `{"key-auth":{"_meta":{"disable":true}}}`, "basic-auth", ""},
		// Whoever wrote these knew what they guard.
		{`{"of-our-own":{}}`, `{}`, "of-our-own", ""},
		{`{"of-our-own":{},"mqtt-proxy":{},"key-auth":{}}`, `{}`, "key-auth, mqtt-proxy, of-our-own", ""},
	} {
		s := must(t, &Snapshot{}, put(Services, "s", `{"plugins":`+tc.service+`}`),
			put(Routes, "1", `{"uri":"/","service_id":"s","upstream":`+up+`,"plugins":`+tc.route+`}`))
		_, err := s.Resolve(s.Route("1"))
		var c *ClosedError
		if errors.As(err, &c) != (tc.closed != "") || c == nil && err != nil {
			t.Errorf("route %s, service %s: resolves to %v, want it closed by %q", tc.route, tc.service, err, tc.closed)
		}
		if want := "plugin " + tc.closed + " is not supported by this gateway yet"; c != nil && c.Error() != want {
			t.Errorf("route %s, service %s: got %q, want %q", tc.route, tc.service, c.Error(), want)
		}
		gaps, _ := s.Gaps(10)
		if got := strings.Join(gaps["routes/1"].Skipped, " "); got != tc.skipped {
			t.Errorf("route %s, service %s: skips %q, want %q", tc.route, tc.service, got, tc.skipped)
		}
		if got := strings.Join(gaps["routes/1"].Guards, ", "); got != tc.closed {
			t.Errorf("route %s, service %s: listed as closed by %q, want %q", tc.route, tc.service, got, tc.closed)
		}
	}
}

func TestConfigurationsOfPluginsThatAreWrongAreRefused(t *testing.T) {
	for plugins, want := range map[string]string{
		`{"key-auth":{"header":1}}`: `failed to check the configuration of plugin key-auth err: property "header" validation failed: wrong type: expected string, got number`,
		`{"gzip":{"comp_level":0}}`: `failed to check the configuration of plugin gzip err: property "comp_level" validation failed: expected 0 to be at least 1`,
		`{"gzip":1}`:                `invalid plugin conf 1 for plugin [gzip]`,
		`{"key-auth":{"header":1,"_meta":{"disable":true}}}`: ``,
	} {
		for kind, value := range map[Kind]string{Routes: `{"uri":"/","upstream":` + up + `,"plugins":` + plugins + `}`, Services: `{"plugins":` + plugins + `}`} {
			_, d := (&Snapshot{}).Apply([]Change{put(kind, "1", value)})
			got := ""
			if err := d.Refused[fmt.Sprintf("/k/%d/1", kind)]; err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: refused with %q, want %q", value, got, want)
			}
		}
	}
}

func TestGapsFollowTheObjectsAndAreBounded(t *testing.T) {
	s := must(t, &Snapshot{}, put(Services, "s", `{"plugins":{"csrf":{"key":"a"}}}`))
	for i := range 5 {
		s = must(t, s, put(Routes, fmt.Sprint(i), `{"uri":"/","service_id":"s","upstream":`+up+`}`))
	}
	s = must(t, s, put(Routes, "own", `{"uri":"/","plugins":{"gzip":{}},"upstream":`+up+`}`), put(Routes, "none", `{"uri":"/","upstream":`+up+`}`))
	if gaps, more := s.Gaps(10); len(gaps) != 6 || more != 0 {
		t.Errorf("got %v and %d more, want six", gaps, more)
	}
	if gaps, more := s.Gaps(2); len(gaps) != 2 || more != 4 {
		t.Errorf("got %v and %d more, want two and four", gaps, more)
	}
	s = must(t, s, put(Services, "s", `{}`))
	if gaps, _ := s.Gaps(10); !slices.Equal(slices.Collect(maps.Keys(gaps)), []string{"routes/own"}) {
		t.Errorf("without those of the service: got %v, want own alone", gaps)
	}
	s = must(t, s, put(Routes, "own", `{"uri":"/","plugins":{"csrf":{"key":"a"}},"upstream":`+up+`}`))
	s = must(t, s, del(Routes, "own"))
	if gaps, _ := s.Gaps(10); len(gaps) != 0 || s.gapped != 0 {
		t.Errorf("without objects that have any: got %v, counted %d", gaps, s.gapped)
	}
}

func TestAGlobalRuleThatGuardsClosesEveryRoute(t *testing.T) {
	s := must(t, &Snapshot{}, put(Routes, "1", `{"uri":"/","upstream":`+up+`,"plugins":{"key-auth":{}}}`), put(Routes, "2", `{"uri":"/","upstream":`+up+`}`))
	closed := func(id, want string) {
		t.Helper()
		_, err := s.Resolve(s.Route(id))
		var c *ClosedError
		if got := ""; errors.As(err, &c) {
			if got = strings.Join(c.Guards, " "); got != want {
				t.Errorf("route %s: closed by %q, want %q", id, got, want)
			}
		} else if want != "" || err != nil {
			t.Errorf("route %s: got %v, want it closed by %q", id, err, want)
		}
	}
	s = must(t, s, put(GlobalRules, "a", `{"id":"a","plugins":{"prometheus":{}}}`))
	closed("2", "")
	s = must(t, s, put(GlobalRules, "b", `{"id":"b","plugins":{"ip-restriction":{"whitelist":["::1"]},"key-auth":{}}}`))
	closed("1", "ip-restriction key-auth")
	closed("2", "ip-restriction key-auth")
	gaps, _ := s.Gaps(10)
	if g := gaps["global_rules/b"]; strings.Join(g.Guards, " ") != "ip-restriction key-auth" || len(gaps) != 3 || s.Counts().GlobalRules != 2 {
		t.Errorf("listed: %v of %v", gaps, s.Counts())
	}
	// What is refused stays as it was.
	for _, value := range []string{`{"id":"b"}`, `{"id":"b","plugins":{"key-auth":{"header":1}}}`} {
		next, d := s.Apply([]Change{put(GlobalRules, "b", value)})
		if len(d.Refused) != 1 || len(next.everywhere) != 3 {
			t.Errorf("%s: refused %v, global plugins %v", value, d.Refused, next.everywhere)
		}
	}
	s = must(t, s, del(GlobalRules, "b"))
	closed("1", "key-auth")
	closed("2", "")
}
