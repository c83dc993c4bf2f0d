// Command badgw is a gateway that misbehaves as $MODE says. It routes nothing: every
// request gets the 404 of a gateway without routes. One argument is the address to
// serve, one that of its status.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
)

func main() {
	mode, data, status, dir := os.Getenv("MODE"), os.Args[1], os.Args[2], os.Args[3]
	log.SetFlags(0)
	log.Printf("badgw: mode %q", mode)
	if mode == "exits" {
		log.Print("badgw: cannot read its configuration")
		os.Exit(7)
	}
	if mode == "dies-for-good" {
		if _, err := os.Stat(dir + "/been"); err == nil {
			log.Print("badgw: it has been here before")
			os.Exit(8)
		}
		_ = os.WriteFile(dir+"/been", nil, 0o644)
	}
	signals := make(chan os.Signal, 1)
	if mode == "hangs" {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(signals, syscall.SIGTERM)
	}
	l, err := net.Listen("tcp", data)
	if err != nil {
		log.Fatal(err)
	}
	go serve(l, mode)
	go func() { log.Fatal(http.ListenAndServe(status, http.HandlerFunc(applied(mode)))) }()
	if mode == "floods" { // more than a log may have, before anybody looks
		line := strings.Repeat("all is well ", 4000) + "\n"
		for range 1000 {
			_, _ = os.Stderr.WriteString(line)
		}
	}
	if mode != "is-never-ready" {
		ready()
	}
	<-signals
}

// applied answers whether a revision is in force.
func applied(mode string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if mode == "never-says" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}

func serve(l net.Listener, mode string) {
	if mode == "garbage" {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("\x16\x03\x01 I am not HTTP\x00\xff\r\n\r\n"))
			_ = c.Close()
		}
	}
	var asked, woken atomic.Int64
	log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := asked.Add(1); strings.HasPrefix(mode, "dies") && strings.HasPrefix(r.Host, "route-exact-n") {
			log.Printf("badgw: panic: request %d was one too many", n)
			os.Exit(9)
		}
		switch {
		case mode == "wakes" && strings.HasPrefix(r.Host, "route-none-404-n"):
			if woken.Add(1) == 1 { // not quite awake
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		case mode == "mute" || mode == "wakes":
			<-r.Context().Done() // never a word
			return
		}
		w.Header().Set("Server", "APISIX/0.0")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintln(w, `{"error_msg":"404 Route Not Found"}`)
	})))
}

// ready says so as sd_notify does.
func ready() {
	c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		log.Fatal(err)
	}
	_, _ = c.Write([]byte("READY=1"))
	_ = c.Close()
}
