package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const (
	connectPath    = "connectrpc.com/conformance/cmd/"
	connectVersion = "v1.0.7"
)

// A connectSuite is a run of the conformance tests of Connect, gRPC and gRPC-Web: its
// client speaks to its server through the gateway.
type connectSuite struct {
	name string
	one  bool // clients speak HTTP/1.1 alone
	// targets is the scheme of the server; empty: http for clients of HTTP/1.1, and grpc
	// for those of HTTP/2. Without TLS a server speaks one or the other.
	targets string
	// tests is how many it has: a run that lost some has proved nothing.
	tests int
}

// All is what the judge makes of these features: HTTP/1.1 and
// HTTP/2 without TLS, the three protocols, and of everything else what it takes for
// granted (its codecs, compressions and kinds of streams, trailers, messages with limits,
// GET). Nothing is left out and nothing is known to fail. Clients of HTTP/1.1 make 604.
var (
	connectAll = connectSuite{name: "connect", tests: 1900}
	connect1   = connectSuite{name: "connect-http1", one: true, tests: 604}
	connect1to = connectSuite{name: "connect-http1-to-grpc", one: true, targets: "grpc", tests: 604}
)

const (
	connectConf = `features:
  versions: [HTTP_VERSION_1, HTTP_VERSION_2]
  protocols: [PROTOCOL_CONNECT, PROTOCOL_GRPC, PROTOCOL_GRPC_WEB]
  supports_tls: false
  supports_h2c: true
  supports_trailers: true
`
	connectConf1 = connectConf + `exclude_cases:
  - version: HTTP_VERSION_2
`
)

// connect is the judge.
type connect struct{ bin, out, engine string }

func installConnect(ctx context.Context, bin, out, engine string) (*connect, error) {
	return &connect{bin, out, engine}, install(ctx, out, connectVersion, connectPath+"connectconformance", connectPath+"referenceserver")
}

// judge runs a suite. The judge starts us again for each of its servers: see
// connectServer.
func (c *connect) judge(ctx context.Context, s connectSuite) (Result, error) {
	self, err := os.Executable()
	if err != nil {
		return Result{}, err
	}
	name := s.name + "-" + c.engine
	conf, features := filepath.Join(c.out, name+".yaml"), connectConf
	if s.one {
		features = connectConf1
	}
	if err := os.WriteFile(conf, []byte(features), 0o644); err != nil {
		return Result{}, err
	}
	// One server at a time: gateways that start beside it would be its load.
	cmd := exec.CommandContext(ctx, filepath.Join(c.out, "connectconformance"), "--mode", "server", "--conf", conf, "-v", "--max-servers", "1", "--",
		self, connectServerVerb, "--bin", c.bin, "--out", c.out, "--engine", c.engine, "--targets", s.targets)
	log, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) { // it ends with 1 when a test fails
		return Result{}, fmt.Errorf("run connectconformance: %w", err)
	}
	file := filepath.Join(c.out, name+".log")
	if err := os.WriteFile(file, log, 0o644); err != nil {
		return Result{}, err
	}
	r, err := readConnect(log)
	if err == nil && r.Total < s.tests {
		err = fmt.Errorf("%d tests, want at least %d", r.Total, s.tests)
	}
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w (see %s)", name, err, file)
	}
	r.Suite, r.Version = s.name, connectVersion
	return r, nil
}

var (
	connectTotal  = regexp.MustCompile(`(?m)^Total cases: (\d+)$`)
	connectPassed = regexp.MustCompile(`(?m)^(\d+) passed, (\d+) failed$`)
)

// readConnect reads what the judge prints at its end.
func readConnect(log []byte) (Result, error) {
	total, passed := connectTotal.FindSubmatch(log), connectPassed.FindSubmatch(log)
	if total == nil || passed == nil {
		return Result{}, errors.New("the judge has not counted")
	}
	var r Result
	r.Total, _ = strconv.Atoi(string(total[1])) // digits
	r.Passed, _ = strconv.Atoi(string(passed[1]))
	for line := range bytes.Lines(log) {
		if name, ok := strings.CutPrefix(string(line), "FAILED: "); ok {
			r.Failed = append(r.Failed, strings.TrimSuffix(strings.TrimSpace(name), ":"))
		}
	}
	return r, nil
}
