package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/unilb/unilb/topology"
)

func TestSchemaPrintsWhatEditorsRead(t *testing.T) {
	for _, args := range [][]string{nil, {"topology"}} {
		var got bytes.Buffer
		cmd := schemaCommand(&output{to: &got})
		cmd.SetArgs(args)
		if err := cmd.Execute(); err != nil || !bytes.Equal(got.Bytes(), topology.Schema()) {
			t.Errorf("schema %v: got %d bytes, %v, want the %d of the package", args, got.Len(), err, len(topology.Schema()))
		}
	}
	var line bytes.Buffer
	cmd := schemaCommand(&output{to: &line, json: true})
	cmd.SetArgs(nil)
	err := cmd.Execute()
	var object struct {
		Type   string
		Schema map[string]any
	}
	if err != nil || json.Unmarshal(line.Bytes(), &object) != nil || object.Type != "schema" || object.Schema["$defs"] == nil || strings.Count(line.String(), "\n") != 1 {
		t.Errorf("schema --json: got %v and %.80q, want one object", err, line.String())
	}
	cmd = schemaCommand(&output{to: &line})
	cmd.SetArgs([]string{"topologies"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.Execute(); codeOf(t.Context(), err) != codeInput {
		t.Errorf("schema topologies: got %v, want bad input", err)
	}
}

func TestNoNumberOfRepeatsBelowOneIsTaken(t *testing.T) {
	for _, n := range []string{"0", "-1"} {
		cmd := conformCommand(&output{})
		cmd.SetArgs([]string{"--repeat", n, "--gateway", "./none.yaml"})
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.Execute(); codeOf(t.Context(), err) != codeInput || !strings.Contains(err.Error(), "--repeat "+n+": want 1 to") {
			t.Errorf("--repeat %s: got %v, want bad input", n, err)
		}
	}
}
