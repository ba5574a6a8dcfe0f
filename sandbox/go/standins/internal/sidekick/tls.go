// TLS both ways: certificates that outputs check and show, and the server that asks Falco for one.

package sidekick

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

// clientTLS says where the files are with which outputs trust and are trusted.
type clientTLS struct {
	trusted  string // CA beside the system's; may be empty
	cert     string
	key      string
	mutualCA string // CA for outputs with mutual TLS
}

// serverTLS says how Falcosidekick itself serves.
type serverTLS struct {
	deploy    bool
	mutual    bool
	cert      string
	key       string
	ca        string
	plainPort string
	plain     []string // paths that are served without TLS, on a port of their own
}

func readClientTLS() clientTLS {
	directory := orElse(os.Getenv("MUTUALTLSFILESPATH"), "/etc/certs")
	return clientTLS{
		trusted:  os.Getenv("TLSCLIENT_CACERTFILE"),
		cert:     orElse(os.Getenv("MUTUALTLSCLIENT_CERTFILE"), directory+"/client.crt"),
		key:      orElse(os.Getenv("MUTUALTLSCLIENT_KEYFILE"), directory+"/client.key"),
		mutualCA: orElse(os.Getenv("MUTUALTLSCLIENT_CACERTFILE"), directory+"/ca.crt"),
	}
}

func readServerTLS() serverTLS {
	s := serverTLS{
		deploy:    isTrue("TLSSERVER_DEPLOY"),
		mutual:    isTrue("TLSSERVER_MUTUALTLS"),
		cert:      orElse(os.Getenv("TLSSERVER_CERTFILE"), "/etc/certs/server/server.crt"),
		key:       orElse(os.Getenv("TLSSERVER_KEYFILE"), "/etc/certs/server/server.key"),
		ca:        orElse(os.Getenv("TLSSERVER_CACERTFILE"), "/etc/certs/server/ca.crt"),
		plainPort: orElse(os.Getenv("TLSSERVER_NOTLSPORT"), "2810"),
	}
	if paths := os.Getenv("TLSSERVER_NOTLSPATHS"); paths != "" {
		s.plain = strings.Split(paths, ",")
	}
	return s
}

// client makes an output's HTTP client. As in the real program, files that cannot be read are told and the output goes on
// without them, and with mutual TLS the server's certificate is checked whatever checkcert says.
func (c clientTLS) client(o *output) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if err := c.configure(transport.TLSClientConfig, o); err != nil {
		log.Printf("[ERROR] : %s - %v", o.title, err)
	}
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}
}

func (c clientTLS) configure(config *tls.Config, o *output) error {
	if !o.mutualTLS && !o.checkCert {
		config.InsecureSkipVerify = true // asked for by the output's checkcert: false
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	config.RootCAs = pool
	if c.trusted != "" {
		if err := trust(pool, c.trusted); err != nil {
			return err
		}
	}
	if !o.mutualTLS {
		return nil
	}
	certificate, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	config.Certificates = []tls.Certificate{certificate}
	return trust(pool, c.mutualCA)
}

func trust(pool *x509.CertPool, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !pool.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate", path)
	}
	return nil
}

// config is the server's; a client must show a certificate of the CA where mutual TLS is asked for.
func (s serverTLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.mutual {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		if err := trust(config.ClientCAs, s.ca); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// listener is one of the servers: what it serves, and whether by TLS.
type listener struct {
	server *http.Server
	tls    bool
}

// listeners tells what is served where: with TLS, the paths that are to be plain (Kubernetes asks one) move to a port of their own.
func (s *server) listeners() ([]listener, error) {
	all, t := s.handlers(), s.settings.serverTLS
	if !t.deploy {
		if t.mutual {
			log.Print("[WARN]  : tlsserver.deploy is false but tlsserver.mutualtls is true: nothing is encrypted")
		}
		return []listener{{server: newHTTPServer(s.settings.address, all)}}, nil
	}
	plain := map[string]http.HandlerFunc{}
	for _, path := range t.plain {
		if handler, found := all[path]; found {
			plain[path] = handler
			delete(all, path)
		} else {
			log.Printf("[WARN]  : tlsserver.notlspaths has unknown path '%s'", path)
		}
	}
	encrypted := newHTTPServer(s.settings.address, all)
	config, err := t.config()
	if err != nil {
		return nil, err
	}
	encrypted.TLSConfig = config
	if len(t.plain) == 0 {
		log.Print("[WARN]  : tlsserver.deploy is true but tlsserver.notlspaths is empty: the kubelet cannot ask /ping")
		return []listener{{encrypted, true}}, nil
	}
	return []listener{{encrypted, true}, {newHTTPServer(s.settings.host+":"+t.plainPort, plain), false}}, nil
}

func newHTTPServer(address string, handlers map[string]http.HandlerFunc) *http.Server {
	mux := http.NewServeMux()
	for path, handler := range handlers {
		mux.HandleFunc(path, handler)
	}
	return &http.Server{Addr: address, Handler: mux, ReadTimeout: time.Minute, ReadHeaderTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: time.Minute}
}

// serve listens until one of the servers ends, and tells why it did.
func serve(listeners []listener, t serverTLS) error {
	ended := make(chan error, len(listeners))
	for _, one := range listeners {
		go func() {
			if one.tls {
				ended <- one.server.ListenAndServeTLS(t.cert, t.key)
			} else {
				ended <- one.server.ListenAndServe()
			}
		}()
	}
	return <-ended
}
