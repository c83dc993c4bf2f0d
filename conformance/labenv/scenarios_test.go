package labenv

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
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
}
