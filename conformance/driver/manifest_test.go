package driver

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/conformance/spec"
)

func minimal(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`driver: v1
name: gw
start: {exec: ["{{.Bin}}/gw"]}
ready: {notify: true}
applied: {http: "http://{{.Underlay}}/applied?rev={{.Revision}}"}
claims: [route.uri]
`)
}

func TestManifestErrorsSayWhereAndWhat(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":          {minimal("ready:", "raedy:"), `gw.yaml:4:1: unknown key "raedy" (did you mean "ready"?)`},
		"unknown nested key":   {minimal("notify", "notifies"), `gw.yaml:4:9: unknown key "notifies" in ready`},
		"wrong type":           {minimal("notify: true", "notify: [1]"), "gw.yaml:4:17:"},
		"bad syntax":           {"driver: v1\n  name: [\n", "gw.yaml:1:9:"},
		"empty":                {"", "gw.yaml: empty"},
		"other version":        {minimal("v1", "v2"), `gw.yaml:1:9: driver: want v1, got "v2"`},
		"no readiness":         {minimal("notify: true", ""), "ready: want one of"},
		"two readinesses":      {minimal("notify: true", "notify: true, http: x"), "ready: want one of"},
		"blind watermark":      {minimal("{{.Revision}}", "7"), "applied.http: does not use .Revision"},
		"args of another API":  {minimal() + "admin: {url: x, args: [--stream]}\n", `gw.yaml:7:17: admin.args: they are for the region's l7admin`},
		"args of no API":       {minimal() + "admin: {dialect: static, args: [--stream]}\n", "admin.args: in dialect static"},
		"unknown variable":     {minimal("{{.Bin}}", "{{.Bim}}"), "gw.yaml:3:16: start.exec[0]"},
		"unknown claim":        {minimal("[route.uri]", "[route.uri, route.hots]"), `gw.yaml:6:21: claims: unknown feature "route.hots" (did you mean "route.host"?)`},
		"strange claim":        {minimal("[route.uri]", "[teleport]"), `gw.yaml:6:10: claims: unknown feature "teleport"`},
		"key twice":            {minimal() + "name: b\n", `gw.yaml:7:1: key "name" is already set in line 2`},
		"unknown var in URL":   {minimal("{{.Underlay}}", "{{.Underlaid}}"), "applied.http"},
		"no claims":            {minimal("[route.uri]", "[]"), "claims:"},
		"signal":               {minimal() + "drain: {signal: KILL}\n", `signal "KILL"`},
		"restart in silence":   {minimal("{notify: true}", "{http: x}") + "restart: {signal: USR2}\n", "restart.signal: needs ready"},
		"restart unsaid":       {minimal("[route.uri]", "[gateway.restart]"), "claims: gateway.restart without restart.signal"},
		"file outside":         {minimal() + "files: {../x: y}\n", `"../x" is not below`},
		"regular expression":   {minimal() + "identify: {match: '('}\n", "identify.match"},
		"duration":             {minimal() + "drain: {within: soon}\n", `gw.yaml:7:17: drain.within is "soon"; want a time with its unit`},
		"several at once: one": {minimal("v1", "v2", "[route.uri]", "[]"), "claims:"},
		"several at once: two": {minimal("v1", "v2", "[route.uri]", "[]"), "driver:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode("gw.yaml", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	_, err := Decode("gw.yaml", []byte(minimal("ready:", "raedy:", "route.uri", "route.urx")+"drain: {within: soon, signal: KILL}\n"))
	if n := len(strings.Split(fmt.Sprint(err), "\n")); n != 5 || !strings.Contains(err.Error(), "4 problems") {
		t.Errorf("four mistakes: got\n%v", err)
	}
	m, err := Decode("gw.yaml", []byte(minimal("{http:", "{probe: {consecutive: 7}} #")+"files:\n  conf/x.yaml: |\n    a: {{.Node}}\nstart2: 1\n"))
	if err == nil || m != nil || !strings.Contains(err.Error(), "gw.yaml:10:1: unknown key \"start2\"") || strings.Contains(err.Error(), "\n") {
		t.Errorf("with a probe and a file: got\n%v", err)
	}
	m, err = Decode("gw.yaml", []byte(minimal("{http:", "{probe: {consecutive: 7}} #")+"files:\n  conf/x.yaml: |\n    a: {{.Node}}\n"))
	if err != nil || m.Consecutive() != 7 || m.Files["conf/x.yaml"] != "a: {{.Node}}\n" {
		t.Errorf("with a probe and a file: got %+v, %v", m, err)
	}
	if _, err := Decode("gw.yaml", []byte(minimal())); err != nil {
		t.Errorf("the text without a mistake: %v", err)
	}
}

func TestOurManifestRendersTheFlagsOfOurGateway(t *testing.T) {
	m, err := Load(os.DirFS("../drivers"), "l7gw.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Render(Vars{
		Bin: "/b", Dir: "/d", Node: "bj/az1/l7-1", Zone: "az1", Region: "bj", Etcd: []string{"http://e1:2379", "http://e2:2379"}, Prefix: "/apisix",
		Listen: []string{"10.1.1.1:80", "10.1.1.1:81"}, Underlay: "10.1.1.1", AdminURL: "http://vip/apisix/admin", AdminKey: "k",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/b/l7gw", "--node=bj/az1/l7-1", "--zone=az1", "--region=bj", "--etcd=http://e1:2379,http://e2:2379", "--prefix=/apisix",
		"--listen=10.1.1.1:80", "--listen=10.1.1.1:81", "--status-listen=:9092", "--control=10.1.1.1:9090", "--state-dir=/d/state", "--underlay=10.1.1.1", "--drain-timeout=30s", "--ocsp-stapling", "--secret-refresh=1s", "--compare-every=1s",
	}
	if !slices.Equal(p.Argv, want) {
		t.Errorf("argv:\n got %q\nwant %q", p.Argv, want)
	}
	if got := p.Env[spec.EnvName]; got != strings.TrimSpace(spec.EnvPair) || !json.Valid([]byte(got)) {
		t.Errorf("environment: got %q", p.Env)
	}
	url, err := p.AppliedURL(42)
	if want := "http://10.1.1.1:9092/status/applied?prefix=/apisix&revision=42&timeout=10s"; url != want || err != nil {
		t.Errorf("applied: got %q, %v, want %q", url, err, want)
	}
	if p.AdminURL != "http://vip/apisix/admin" || p.AdminKey != "k" || !p.Notify || p.DrainSignal != "TERM" {
		t.Errorf("got %+v", p)
	}
}

func FuzzDecodeNeverPanics(f *testing.F) {
	f.Add([]byte(minimal()))
	f.Add([]byte("driver: v1\nfiles: {a: '{{range .Etcd}}'}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := Decode("x", b); (m == nil) == (err == nil) {
			t.Errorf("got %v and %v", m, err)
		}
	})
}
