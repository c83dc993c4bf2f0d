package labenv

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

func TestRerunLineOfScenarioSurvivesTheShell(t *testing.T) {
	o := Options{BinDir: "/tmp/my bin", Scenarios: "/bin/echo"}
	for _, title := range []string{
		"Failover loses only what a gateway had in hand, or was sent before, when it is killed", "Reload (200 edits) doesn't lose a+b?", `quotes " and $HOME and back\slash`,
	} {
		out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "set -f; "+o.rerunScenario(title)+` ; echo "$?"`).Output()
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		focus, ok := strings.CutPrefix(line, "--ginkgo.focus ")
		if !ok || !regexp.MustCompile(focus).MatchString("Scenarios "+title) || regexp.MustCompile(focus).MatchString(title+" twice") {
			t.Errorf("%q: the shell makes %q of %s", title, line, o.rerunScenario(title))
		}
	}
	if got, want := o.rerunScenario("a (b)"), `UNILB_BIN='/tmp/my bin' /bin/echo --ginkgo.focus 'a \(b\)$'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	o.Gateway, o.Binary = "l7gw-std", "/tmp/my gateway"
	if got, want := o.rerunScenario("a"), `UNILB_BIN='/tmp/my bin' UNILB_GATEWAY=l7gw-std UNILB_GATEWAY_BINARY='/tmp/my gateway' /bin/echo --ginkgo.focus 'a$'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestScenariosAreToldWhichGatewayIsJudged(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "l7gw "},
		{Options{Gateway: "l7gw-std"}, "l7gw-std "},
		{Options{Gateway: "l7gw-std", Binary: "/tmp/l7gw-new"}, "l7gw-std /tmp/l7gw-new"},
	} {
		t.Setenv("UNILB_GATEWAY", "nginx") // of whoever runs it
		dir := t.TempDir()
		c.o.Scenarios, c.o.Out, c.o.BinDir, c.o.Stderr = filepath.Join(dir, "scenarios.test"), dir, dir, io.Discard
		program := "#!/bin/sh\n" + `echo "$UNILB_GATEWAY $UNILB_GATEWAY_BINARY"; for a in "$@"; do case $a in --ginkgo.json-report=*) echo "[{\"SuiteSucceeded\":true}]" >"${a#*=}" ;; esac; done` + "\n"
		if err := os.WriteFile(c.o.Scenarios, []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
		o, err := c.o.filled()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := runScenarios(t.Context(), o); err != nil {
			t.Error(err)
		}
		said, err := os.ReadFile(filepath.Join(dir, "scenarios.log"))
		if got := strings.TrimSuffix(string(said), "\n"); got != c.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", o.Gateway, got, err, c.want)
		}
	}
}

func TestScenariosStartTheGatewayThatTheyWereAskedFor(t *testing.T) {
	spec, err := topology.LoadLibrary("two-az")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := spec.Plan()
	if err != nil {
		t.Fatal(err)
	}
	n, ok := plan.Node("bj/az2/l7-1")
	if !ok {
		t.Fatal("no such node")
	}
	bin := t.TempDir()
	for _, c := range []struct {
		asked   Asked
		program string
		std     bool
	}{
		{Asked{}, filepath.Join(bin, "l7gw"), false},
		{Asked{Driver: "l7gw"}, filepath.Join(bin, "l7gw"), false},
		{Asked{Driver: "l7gw-std"}, filepath.Join(bin, "l7gw"), true},
		{Asked{Driver: "l7gw-std", Binary: "/tmp/l7gw-new"}, "/tmp/l7gw-new", true},
	} {
		env := map[string]string{}
		for _, v := range c.asked.env() {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		asked := AskedBy(func(name string) string { return env[name] })
		if err := asked.Check(); err != nil {
			t.Error(err)
		}
		start, err := asked.Gateways(plan)
		if err != nil {
			t.Fatal(err)
		}
		got, err := start(*n, lab.Facts{BinDir: bin, Dir: bin, Etcd: []string{"http://10.0.0.1:2379"}, Prefix: "/apisix"})
		if err != nil || got.Path != c.program || slices.Contains(got.Args, "--engine=std") != c.std {
			t.Errorf("%+v: got %s %q, %v, want %s, with --engine=std: %v", c.asked, got.Path, got.Args, err, c.program, c.std)
		}
	}
}

func TestGatewayThatScenariosCannotStartIsRefusedAtOnce(t *testing.T) {
	for name, want := range map[string]string{
		"std":   `no driver "std"`,
		"l7gw-": `did you mean "l7gw"`,
		"nginx": "run them with l7gw or l7gw-std",
	} {
		if err := (Asked{Driver: name}).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}
