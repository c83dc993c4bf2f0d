package obs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"google.golang.org/grpc/grpclog"
)

// TestGRPCSpeaksJSON runs in a process of its own: the logger of gRPC is one per
// process.
func TestGRPCSpeaksJSON(t *testing.T) {
	const child = "OBS_TEST_GRPC_CHILD"
	if os.Getenv(child) != "" {
		if _, err := Logger(os.Stderr, "info"); err != nil {
			t.Fatal(err)
		}
		grpclog.Component("transport").Errorf("Client received GoAway with error code %q\n", "ENHANCE_YOUR_CALM")
		grpclog.Warning("is for debugging")
		grpclog.Fatal("ends the process")
		return
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGRPCSpeaksJSON$")
	cmd.Env, cmd.Stderr = append(os.Environ(), child+"=1"), &stderr
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("got %v, want exit code 1; stderr: %s", err, &stderr)
	}
	want := []map[string]string{
		{"level": "WARN", "text": `[transport] Client received GoAway with error code "ENHANCE_YOUR_CALM"`},
		{"level": "ERROR", "text": "ends the process"},
	}
	lines := bytes.Split(bytes.TrimSpace(stderr.Bytes()), []byte("\n"))
	if len(lines) != len(want) {
		t.Fatalf("got %s, want %d lines", &stderr, len(want))
	}
	for i, line := range lines {
		var got map[string]string
		if err := json.Unmarshal(line, &got); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if got["level"] != want[i]["level"] || got["text"] != want[i]["text"] {
			t.Errorf("got %v, want %v", got, want[i])
		}
	}
}
