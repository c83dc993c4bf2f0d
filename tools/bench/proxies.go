package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/tools/bench/stage"
)

//go:embed templates
var templates embed.FS

// Names of the proxies that ours stands beside. The control is a second nginx.
const (
	nginxName   = "nginx"
	controlName = "nginx-again"
	haproxyName = "haproxy"
)

// Ports of the sandbox's own network, below those that the kernel hands out.
const (
	responderAt = "127.0.0.1:18000"
	firstPort   = 10000
)

// facts are what templates of configurations know.
type facts struct {
	Name, Dir, Listen, ListenTLS, Responder, LogFile string
	Workers                                          int
	Files, Conns                                     int // that a process may open, and clients that it may have
	Log                                              bool
}

// configure renders a configuration into the site's folder.
func (s *site) configure(p *proxy, from string) (path string, _ facts, _ error) {
	f := facts{
		Name: p.name, Dir: s.dir, Listen: p.at, ListenTLS: p.tls, Responder: responderAt,
		LogFile: filepath.Join(s.dir, p.name+".access"), Workers: s.row.Workers, Log: s.row.Log,
		Files: int(s.files), Conns: int(s.files-1500) / 2, // a client and a connection to the responder each, pipes, and some for itself
	}
	t, err := template.ParseFS(templates, "templates/"+from)
	if err != nil {
		return "", f, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, f); err != nil {
		return "", f, err
	}
	path = filepath.Join(s.dir, p.name+".conf")
	return path, f, os.WriteFile(path, b.Bytes(), 0o644)
}

func (s *site) startNginx(_ context.Context, p *proxy) error {
	conf, _, err := s.configure(p, "nginx.conf.tmpl")
	if err != nil {
		return err
	}
	cmd := exec.Command("nginx", "-p", s.dir, "-e", "stderr", "-c", conf)
	p.running, err = s.spawn.Keep(cmd, p.name, s.dir, s.place(p))
	p.change = func(context.Context) error { return p.running.Signal(unix.SIGHUP) }
	return err
}

// startHAProxy starts a master and a worker in the foreground: the master is what
// reloads.
func (s *site) startHAProxy(_ context.Context, p *proxy) error {
	conf, f, err := s.configure(p, "haproxy.cfg.tmpl")
	if err != nil {
		return err
	}
	cmd := exec.Command("haproxy", "-W", "-f", conf)
	if s.row.Log {
		out, err := os.Create(f.LogFile)
		if err != nil {
			return err
		}
		defer out.Close()
		cmd.Stdout = out
	}
	p.running, err = s.spawn.Keep(cmd, p.name, s.dir, s.place(p))
	p.change = func(context.Context) error { return p.running.Signal(unix.SIGUSR2) }
	return err
}

// startGateway starts our gateway as users run it, with a store that has the routes.
func (s *site) startGateway(ctx context.Context, p *proxy, g Gateway) error {
	control := s.controls[g.Name]
	set, err := control.routes(ctx, s.row.Routes)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(p.at)
	if err != nil {
		return err
	}
	status := "127.0.0.1:" + strings.TrimSuffix(port, "0") + "2"
	args := []string{
		"--node=bench/" + p.name, "--etcd=" + control.etcd, "--prefix=" + set.prefix, "--listen=" + p.at, "--status-listen=" + status,
		"--drain-delay=0s", "--drain-timeout=1s", "--log-level=warn",
	}
	if s.row.Log {
		args = append(args, "--access-log="+filepath.Join(s.dir, p.name+".access"))
	}
	revision := set.revision
	if p.tls != "" {
		at, lacks, err := control.listenTLS(ctx, set, p.tls)
		if err != nil {
			return err
		}
		if revision = max(revision, at); lacks != "" {
			p.lacks, p.tls = lacks, ""
		}
	}
	if p.running, err = s.spawn.Keep(exec.Command(filepath.Join(s.bin, "l7gw"), append(args, g.Flags...)...), p.name, s.dir, s.place(p)); err != nil {
		return err
	}
	p.change = func(ctx context.Context) error { return control.change(ctx, set) }
	url := fmt.Sprintf("http://%s/status/applied?prefix=%s&revision=%d&timeout=1s", status, set.prefix, revision)
	const within = time.Minute // 100 000 routes take their time
	if err := p.running.Await(ctx, within, func(ctx context.Context) error { return stage.Succeeds(ctx, url) }); err != nil {
		return err
	}
	if p.tls != "" {
		err := p.running.Await(ctx, 3*time.Second, func(ctx context.Context) error { return stage.Listens(ctx, p.tls) })
		if err != nil {
			p.lacks, p.tls = "it does not serve a listener with protocol https: "+refusal(ctx, status, err), ""
		}
	}
	return nil
}
