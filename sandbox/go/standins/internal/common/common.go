// Package common holds what all stand-ins say and do alike.
package common

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

// Notice is printed by every stand-in at start, in --help and in its version.
const Notice = "STAND-IN of the falconet sandbox: simulates what the collection's tests need; it is not the program whose name it bears"

// Version of a stand-in: the version that it imitates, with the stand-in told in the build metadata.
func Version(imitated string) string { return imitated + "+standin" }

// Start prepares the log and writes the notice.
func Start(program string) {
	log.SetFlags(log.Ldate | log.Ltime | log.Lmicroseconds | log.LUTC)
	log.SetOutput(os.Stderr)
	log.SetPrefix("standin-" + program + " ")
	log.Print(Notice)
}

// Options reads a program's command line. Where it does not go on (help, the version, a mistake), the program ends with the code.
func Options(flags *flag.FlagSet, versionFlag, version, usage string, args []string) (code int, goesOn bool) {
	showVersion := flags.Bool(versionFlag, false, "print version")
	flags.Usage = func() {
		fmt.Printf("%s\n\nUsage: %s %s\n", Notice, flags.Name(), usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err == flag.ErrHelp {
		return 0, false
	} else if err != nil {
		return 2, false
	}
	if *showVersion {
		fmt.Printf("%s %s (%s)\n", flags.Name(), version, Notice)
		return 0, false
	}
	return 0, true
}

// UUID returns a random (version 4) UUID.
func UUID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Line encodes v as one line of JSON without HTML escapes.
func Line(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// JSON answers a request with v.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("X-Stand-In", "falconet-sandbox")
	w.WriteHeader(status)
	_ = Line(w, v)
}

// Serve listens until the process ends; the error of the listener is fatal.
func Serve(addr string, handler http.Handler) {
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
