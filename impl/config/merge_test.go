package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// uses are plugins as name@origin, in order; "!" marks those that run late.
func uses(list []PluginUse) string {
	var out []string
	for _, u := range list {
		late := ""
		if u.Late {
			late = "!"
		}
		out = append(out, late+u.Name+"@"+u.From.String())
	}
	return strings.Join(out, " ")
}

func TestPluginsOfARequestAreMergedAndOrdered(t *testing.T) {
	const off = `{"_meta":{"disable":true}}`
	for _, tc := range []struct {
		name     string
		objects  []Change
		consumer string
		want     string
	}{
		{"none", nil, "", ""},
		{"of the route alone, by priority", []Change{put(Routes, "1", route1(`{"gzip":{},"request-id":{},"cors":{}}`))}, "",
			"request-id@routes/1 cors@routes/1 gzip@routes/1"},
		{"a priority of the route's own", []Change{put(Routes, "1", route1(`{"gzip":{"_meta":{"priority":99999}},"request-id":{},"cors":{"_meta":{"priority":-1}}}`))}, "",
			"gzip@routes/1 request-id@routes/1 cors@routes/1"},
		{"equals by name", []Change{put(Routes, "1", route1(`{"request-id":{"_meta":{"priority":7}},"gzip":{"_meta":{"priority":7}},"cors":{"_meta":{"priority":7}}}`))}, "",
			"cors@routes/1 gzip@routes/1 request-id@routes/1"},
		{"route before plugin config before service", []Change{put(Routes, "1", route1(`{"gzip":{}}`)),
			put(PluginConfigs, "p", `{"id":"p","plugins":{"gzip":{},"cors":{}}}`), put(Services, "s", `{"plugins":{"gzip":{},"cors":{},"request-id":{}}}`)}, "",
			"request-id@services/s cors@plugin_configs/p gzip@routes/1"},
		{"one that is switched off covers those behind it", []Change{put(Routes, "1", route1(`{"gzip":`+off+`}`)),
			put(PluginConfigs, "p", `{"id":"p","plugins":{"gzip":{},"cors":`+off+`}}`), put(Services, "s", `{"plugins":{"gzip":{},"cors":{},"request-id":{}}}`)}, "",
			"request-id@services/s"},
		{"nobody known: none of a consumer", []Change{put(Consumers, "jack", `{"username":"jack","plugins":{"cors":{}}}`)}, "", ""},
		{"consumer before group before route", []Change{put(Routes, "1", route1(`{"gzip":{},"cors":{},"request-id":{}}`)),
			put(Consumers, "jack", `{"username":"jack","group_id":"g","plugins":{"gzip":{},"key-auth":{"key":"k"}}}`),
			put(ConsumerGroups, "g", `{"id":"g","plugins":{"gzip":{},"cors":{},"redirect":{"uri":"/x"}}}`)}, "jack",
			"request-id@routes/1 !cors@consumer_groups/g !gzip@consumers/jack !redirect@consumer_groups/g"},
		{"a consumer's authentication is none of his request's", []Change{put(Routes, "1", route1(`{"key-auth":{}}`)),
			put(Consumers, "jack", `{"username":"jack","group_id":7,"plugins":{"key-auth":{"key":"k"},"basic-auth":{"username":"a","password":"b"}}}`),
			put(Credentials, "jack/credentials/1", `{"id":"1","plugins":{"jwt-auth":{"key":"a","secret":"b"}}}`),
			put(ConsumerGroups, "7", `{"id":"7","plugins":{"key-auth":{}}}`)}, "jack", "key-auth@routes/1"},
		{"a consumer switches off what the route has", []Change{put(Routes, "1", route1(`{"gzip":{}}`)),
			put(Consumers, "jack", `{"username":"jack","plugins":{"gzip":`+off+`}}`)}, "jack", ""},
		{"global rules run beside the route's, and first", []Change{put(Routes, "1", route1(`{"request-id":{},"gzip":{}}`)),
			put(GlobalRules, "a", `{"id":"a","plugins":{"gzip":{}}}`), put(GlobalRules, "b", `{"id":"b","plugins":{"cors":{},"file-logger":`+off+`}}`)}, "",
			"cors@global_rules/b gzip@global_rules/a request-id@routes/1 gzip@routes/1"},
		{"a plugin of two rules is run for neither", []Change{
			put(GlobalRules, "a", `{"id":"a","plugins":{"gzip":{},"cors":{}}}`), put(GlobalRules, "b", `{"id":"b","plugins":{"cors":`+off+`}}`)}, "",
			"gzip@global_rules/a"},
		{"prometheus of a rule gives way to the route's", []Change{put(Routes, "1", route1(`{}`)), put(Services, "s", `{"plugins":{"prometheus":{}}}`),
			put(GlobalRules, "a", `{"id":"a","plugins":{"prometheus":{},"gzip":{}}}`)}, "", "gzip@global_rules/a prometheus@services/s"},
		{"but not to one that is switched off", []Change{put(Routes, "1", route1(`{"prometheus":`+off+`}`)), put(Services, "s", `{"plugins":{"prometheus":{}}}`),
			put(GlobalRules, "a", `{"id":"a","plugins":{"prometheus":{}}}`)}, "", "prometheus@global_rules/a"},
	} {
		s := must(t, &Snapshot{}, put(Routes, "1", route1(`{}`)), put(PluginConfigs, "p", `{"id":"p","plugins":{}}`), put(Services, "s", `{}`))
		s = must(t, s, tc.objects...)
		got, err := s.Plugins(s.Route("1"), tc.consumer)
		if err != nil || uses(got) != tc.want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", tc.name, uses(got), err, tc.want)
		}
		for _, u := range got {
			if len(u.Conf) == 0 {
				t.Errorf("%s: %s has no configuration", tc.name, u.Name)
			}
		}
	}
}

// route1 is a route of a plugin config and of a service.
func route1(plugins string) string {
	return `{"uri":"/","plugin_config_id":"p","service_id":"s","upstream":` + up + `,"plugins":` + plugins + `}`
}

func TestRequestWithoutARouteRunsGlobalRulesOnly(t *testing.T) {
	s := must(t, &Snapshot{}, put(GlobalRules, "a", `{"id":"a","plugins":{"gzip":{},"prometheus":{}}}`), put(Consumers, "jack", `{"username":"jack","plugins":{"cors":{}}}`))
	if got, err := s.Plugins(nil, ""); err != nil || uses(got) != "gzip@global_rules/a prometheus@global_rules/a" {
		t.Errorf("got %s, %v", uses(got), err)
	}
}

func TestWhatIsMissingIsTheErrorAndTheRestIsTold(t *testing.T) {
	s := must(t, &Snapshot{},
		put(Routes, "1", route1(`{"gzip":{}}`)),
		put(Routes, "2", `{"uri":"/2","upstream":`+up+`}`),
		put(Consumers, "jack", `{"username":"jack","group_id":"g"}`))
	ask := func(id, consumer string) (string, Missing) {
		t.Helper()
		got, err := s.Plugins(s.Route(id), consumer)
		var m *MissingError
		if err == nil {
			return uses(got), 255
		}
		if !errors.As(err, &m) {
			t.Fatalf("route %s: %v, want a MissingError", id, err)
		}
		return uses(got), m.What
	}
	for _, tc := range []struct {
		add          []Change
		id, consumer string
		want         string
		what         Missing
	}{
		// As in APISIX the plugin config is asked for first.
		{nil, "1", "", "gzip@routes/1", MissingPluginConfig},
		{[]Change{put(PluginConfigs, "p", `{"id":"p","plugins":{"cors":{}}}`)}, "1", "", "cors@plugin_configs/p gzip@routes/1", MissingService},
		{[]Change{put(Services, "s", `{}`)}, "1", "", "cors@plugin_configs/p gzip@routes/1", 255},
		{nil, "2", "john", "", MissingConsumer},
		{nil, "2", "jack", "", MissingConsumerGroup},
		{[]Change{put(ConsumerGroups, "g", `{"id":"g","plugins":{"cors":{}}}`)}, "2", "jack", "!cors@consumer_groups/g", 255},
		{[]Change{del(PluginConfigs, "p"), del(ConsumerGroups, "g")}, "1", "jack", "gzip@routes/1", MissingPluginConfig},
		{nil, "2", "jack", "", MissingConsumerGroup},
		{[]Change{del(Consumers, "jack")}, "2", "jack", "", MissingConsumer},
	} {
		s = must(t, s, tc.add...)
		if got, what := ask(tc.id, tc.consumer); got != tc.want || what != tc.what {
			t.Errorf("route %s, consumer %q: got %q, missing %d; want %q, %d", tc.id, tc.consumer, got, what, tc.want, tc.what)
		}
	}
}

func TestGuardsOfAPluginConfigCloseItsRoutes(t *testing.T) {
	const off = `{"_meta":{"disable":true}}`
	for _, tc := range []struct{ route, config, service, closed, skipped string }{
		{`{}`, `{"key-auth":{}}`, `{}`, "key-auth", ""},
		{`{"key-auth":` + off + `}`, `{"key-auth":{}}`, `{"key-auth":{}}`, "", ""},
		{`{}`, `{"key-auth":` + off + `,"gzip":{}}`, `{"key-auth":{}}`, "", "gzip"},
		{`{"gzip":{}}`, `{"key-auth":{}}`, `{"csrf":{"key":"a"}}`, "csrf key-auth", "gzip"},
		{`{}`, `{"gzip":{}}`, `{"csrf":{"key":"a"}}`, "csrf", "gzip"},
	} {
		s := must(t, &Snapshot{}, put(Routes, "1", route1(tc.route)), put(Services, "s", `{"plugins":`+tc.service+`}`),
			put(PluginConfigs, "p", `{"id":"p","plugins":`+tc.config+`}`)) // after its route
		_, err := s.Resolve(s.Route("1"))
		var c *ClosedError
		closed := ""
		if errors.As(err, &c) {
			closed = strings.Join(c.Guards, " ")
		}
		gaps, _ := s.Gaps(10)
		g := gaps["routes/1"]
		if closed != tc.closed || c == nil && err != nil || strings.Join(g.Guards, " ") != tc.closed || strings.Join(g.Skipped, " ") != tc.skipped {
			t.Errorf("route %s, config %s, service %s: resolves to %v, listed %+v; want closed by %q, skipped %q", tc.route, tc.config, tc.service, err, g, tc.closed, tc.skipped)
		}
		s = must(t, s, put(PluginConfigs, "p", `{"id":"p","plugins":{}}`), put(Services, "s", `{}`), put(Routes, "1", route1(`{}`)))
		if _, err := s.Resolve(s.Route("1")); err != nil || s.gapped != 0 {
			t.Errorf("without plugins: %v, and %d gaps are counted", err, s.gapped)
		}
	}
}

func TestPluginOfTwoGlobalRulesIsListedAsClashing(t *testing.T) {
	s := must(t, &Snapshot{}, put(GlobalRules, "a", `{"id":"a","plugins":{"csrf":{"key":"a"}}}`), put(GlobalRules, "b", `{"id":"b","plugins":{"csrf":{"key":"b"},"gzip":{}}}`))
	gaps, _ := s.Gaps(10)
	if got := fmt.Sprint(gaps); got != "map[global_rules/a:{[] [] [csrf]} global_rules/b:{[] [gzip] [csrf]}]" {
		t.Errorf("listed: %s", got)
	}
	// It guards: nobody is let in because there are two of it.
	s = must(t, s, put(Routes, "1", `{"uri":"/","upstream":`+up+`}`))
	var closed *ClosedError
	if _, err := s.Resolve(s.Route("1")); !errors.As(err, &closed) || fmt.Sprint(closed.Guards) != "[csrf]" {
		t.Errorf("a route beside two rules that guard it: %v, want it closed by csrf", err)
	}
	s = must(t, s, del(GlobalRules, "b"))
	if gaps, _ := s.Gaps(10); fmt.Sprint(gaps) != "map[global_rules/a:{[csrf] [] []}]" {
		t.Errorf("without the second: %v", gaps)
	}
}

func TestPluginConfigsAndConsumersThatAreWrongAreRefused(t *testing.T) {
	for _, tc := range []struct {
		kind        Kind
		id          string
		value, want string
	}{
		{PluginConfigs, "p", `{"id":"p"}`, `property "plugins" is required`},
		{PluginConfigs, "p", `{"id":"p","plugins":{},"uri":"/"}`, "additional properties forbidden, found uri"},
		{PluginConfigs, "p", `{"id":"p","plugins":{"gzip":{"comp_level":0}}}`, "failed to check the configuration of plugin gzip"},
		{ConsumerGroups, "g", `{"id":"g","plugins":{"gzip":1}}`, "invalid plugin conf 1 for plugin [gzip]"},
		{Consumers, "jack", `{"plugins":{}}`, `property "username" is required`},
		{Consumers, "jack", `{"username":"jack","plugins":{"key-auth":{"key":1}}}`, "failed to check the configuration of plugin key-auth"},
		{Credentials, "jack/credentials/1", `{"plugins":{"key-auth":{"key":1}}}`, "failed to check the configuration of plugin key-auth"},
		{Credentials, "jack/credentials/1", `{"plugins":{"key-auth":{"key":"a"},"basic-auth":{"username":"a","password":"b"}}}`, "at most 1 properties"},
		{Consumers, "jack", `{"username":"jack","plugins":[]}`, ""},
		{PluginConfigs, "p", `{"id":"p","plugins":{"key-auth":{"header":1,"_meta":{"disable":true}}}}`, ""},
	} {
		_, d := (&Snapshot{}).Apply([]Change{put(tc.kind, tc.id, tc.value)})
		err := d.Refused[fmt.Sprintf("/k/%d/%s", tc.kind, tc.id)]
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s %s: refused with %v, want %q", tc.kind.Directory(), tc.value, err, tc.want)
		}
	}
}

func TestObjectsAreToldApartByTheirKeys(t *testing.T) {
	for rest, want := range map[string]string{
		"routes/1": "routes 1", "plugin_configs/a.b": "plugin_configs a.b", "consumer_groups/1": "consumer_groups 1", "global_rules/1": "global_rules 1",
		"consumers/jack": "consumers jack", "consumers/jack/credentials/1": "consumers jack/credentials/1",
		"consumers/jack/credentials/": " ", "consumers//credentials/1": " ", "consumers/jack/credentials/1/2": " ", "consumers/jack/x/1": " ",
		"routes/": " ", "routes": " ", "routes/1/2": " ", "protos/1": " ", "": " ", "/": " ",
	} {
		kind, id := Locate(rest)
		if got := kind.Directory() + " " + id; got != want || (kind == Credentials) != strings.Contains(id, "/credentials/") {
			t.Errorf("%s: got %q (kind %d), want %q", rest, got, kind, want)
		}
	}
}

func TestChangeOfAPluginConfigTouchesNoRoute(t *testing.T) {
	cost := func(n int) float64 {
		var cs []Change
		for i := range n {
			cs = append(cs, put(Routes, fmt.Sprint(i), `{"uri":"/","plugin_config_id":"p","service_id":"s","upstream_id":"1"}`))
		}
		s := must(t, &Snapshot{}, cs...)
		one := []Change{put(PluginConfigs, "p", `{"id":"p","plugins":{"gzip":{}}}`), put(Services, "s", `{"plugins":{"cors":{}}}`), put(ConsumerGroups, "g", `{"id":"g","plugins":{}}`)}
		return testing.AllocsPerRun(20, func() { s.Apply(one) })
	}
	// (A service whose hosts change has its routes indexed anew; this one has none before and after.)
	if small, big := cost(10), cost(500); big > 2*small+8 {
		t.Errorf("a change allocates %v times at 10 routes, %v at 500", small, big)
	}
}

func TestResolveAllocatesNothing(t *testing.T) {
	s := must(t, &Snapshot{}, put(Upstreams, "1", up), put(Services, "s", `{"plugins":{"gzip":{},"csrf":{"key":"a"}},"upstream_id":"1"}`),
		put(PluginConfigs, "p", `{"id":"p","plugins":{"cors":{},"csrf":{"key":"a","_meta":{"disable":true}}}}`), put(GlobalRules, "a", `{"id":"a","plugins":{"prometheus":{}}}`),
		put(Routes, "1", `{"uri":"/","plugin_config_id":"p","service_id":"s","plugins":{"request-id":{}}}`), put(Routes, "2", `{"uri":"/","upstream_id":"1"}`))
	for _, id := range []string{"1", "2"} {
		r := s.Route(id)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := s.Resolve(r); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("route %s: Resolve allocates %v times", id, n)
		}
	}
}
