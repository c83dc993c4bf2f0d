// Command foreign is somebody's first reverse proxy, on net/http/httputil: it
// knows nothing of this project. Its manifest, foreign.yaml, is all that it takes to
// judge it. It reads lines "HOST PREFIX TARGET" from a file, again on SIGHUP.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
)

type site struct {
	host, prefix string
	proxy        *httputil.ReverseProxy
}

func main() {
	listen, file := flag.String("listen", ":8080", "address to serve"), flag.String("config", "sites.conf", "file of sites")
	flag.Parse()
	var sites atomic.Pointer[[]site]
	load := func() {
		text, err := os.ReadFile(*file)
		if err != nil {
			log.Fatal(err)
		}
		var next []site
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 3 {
				next = append(next, site{f[0], f[1], httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: f[2]})})
			}
		}
		sites.Store(&next)
	}
	load()
	server := &http.Server{Addr: *listen, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, s := range *sites.Load() {
			if (s.host == "*" || s.host == r.Host) && strings.HasPrefix(r.URL.Path, s.prefix) {
				s.proxy.ServeHTTP(w, r)
				return
			}
		}
		http.NotFound(w, r)
	})}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM)
	go func() {
		for s := range signals {
			if load(); s == syscall.SIGTERM {
				_ = server.Shutdown(context.Background())
				os.Exit(0)
			}
		}
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	select {} // until Shutdown is done
}
