package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	grpcPath    = "google.golang.org/grpc/interop/"
	grpcVersion = "v1.83.2"
	// grpcCase bounds one case.
	grpcCase = 20 * time.Second
)

// grpcCases are those of gRPC's description of interoperability tests that grpc-go's
// client has, but for those that need credentials of Google's, and the one that needs
// two servers.
var grpcCases = []string{
	"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
	"timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message", "special_status_message",
	"custom_metadata", "unimplemented_method", "unimplemented_service", "rpc_soak", "channel_soak",
}

// orcaCases are the rest of grpc-go's own script: servers tell their load, in trailers
// and by a stream of its own.
var orcaCases = []string{"orca_per_rpc", "orca_oob"}

// orcaBalancer is the client's side of them.
const orcaBalancer = `{"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}`

// grpcGo is grpc-go's client and server for tests of interoperability.
type grpcGo struct{ bin, out, engine string }

func installGRPC(ctx context.Context, bin, out, engine string) (*grpcGo, error) {
	dir := filepath.Join(out, "grpc-go") // they are called client and server
	return &grpcGo{bin, out, engine}, install(ctx, dir, grpcVersion, grpcPath+"client", grpcPath+"server")
}

// judge runs all cases, over TLS between client and gateway and between gateway and
// server, or without it.
func (g *grpcGo) judge(ctx context.Context, secure bool) ([]Result, error) {
	name, to := "grpc-go", target{scheme: "grpc"}
	if secure {
		name, to = "grpc-go-tls", target{scheme: "grpcs", verify: true}
	}
	dir, err := os.MkdirTemp(g.out, name+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cert, err := selfSigned(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	to.address = local(port)
	server := exec.Command(filepath.Join(g.out, "grpc-go", "server"), "-port", strconv.Itoa(port), "-use_tls="+strconv.FormatBool(secure), "-tls_cert_file", cert.certFile, "-tls_key_file", cert.keyFile)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // of the thread, which main keeps
	if err := server.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = server.Process.Kill() // it knows no other end
		_ = server.Wait()
	}()
	gw, err := startGateway(ctx, options{bin: g.bin, log: filepath.Join(g.out, name+"-l7gw.log"), engine: g.engine, cert: cert}, to)
	if err != nil {
		return nil, err
	}
	var log bytes.Buffer
	results := []Result{g.run(ctx, gw, name, secure, grpcCases, &log), g.run(ctx, gw, name+"-orca", secure, orcaCases, &log)}
	err = os.WriteFile(filepath.Join(g.out, name+".log"), log.Bytes(), 0o644)
	return results, errors.Join(err, gw.stop())
}

func (g *grpcGo) run(ctx context.Context, gw *gateway, suite string, secure bool, cases []string, log *bytes.Buffer) Result {
	r := Result{Suite: suite, Version: grpcVersion, Total: len(cases)}
	args := []string{"-server_host", "127.0.0.1", "-server_port", strconv.Itoa(gw.plain), "-service_config_json", orcaBalancer}
	if secure {
		args = []string{"-server_host", "127.0.0.1", "-server_port", strconv.Itoa(gw.secure), "-service_config_json", orcaBalancer,
			"-use_tls", "-use_test_ca", "-ca_file", gw.cert.certFile, "-server_host_override", serverName}
	}
	for _, c := range cases {
		ctx, cancel := context.WithTimeout(ctx, grpcCase)
		said, err := exec.CommandContext(ctx, filepath.Join(g.out, "grpc-go", "client"), append(args, "-test_case", c)...).CombinedOutput()
		cancel()
		fmt.Fprintf(log, "=== %s: %v\n%s", c, err, said)
		if err != nil {
			r.Failed = append(r.Failed, fmt.Sprintf("%s: %v", c, err))
			continue
		}
		r.Passed++
	}
	return r
}
