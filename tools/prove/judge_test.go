package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a case says is proof when it is not met, as a failure or, where it is no
// must, as a warning; nothing else is, and the message says so.
func TestOnlyACaseThatIsNotMetIsProof(t *testing.T) {
	for state, want := range map[string]string{
		"fail":     "",
		"warn":     "",
		"pass":     `ended as "pass", want fail or warn`,
		"broken":   `ended as "broken", want fail or warn`,
		"unproven": `ended as "unproven", want fail or warn`,
	} {
		bin, out := t.TempDir(), t.TempDir()
		report := fmt.Sprintf("cases:\n- id: A-B\n  state: %s\n  says: [it is so]\n", state)
		for path, text := range map[string]string{
			filepath.Join(out, "report.yaml"): report,
			filepath.Join(bin, "lbsim"):       "#!/bin/sh\nexit 1\n",
		} {
			if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		said, err := judgeByCase(t.Context(), bin, "l7gw", out, "A-B", "so")
		switch {
		case want == "" && (err != nil || said != "it is so"):
			t.Errorf("%s: got %q, %v, want it taken", state, said, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %q, %v, want %q", state, said, err, want)
		}
	}
}
