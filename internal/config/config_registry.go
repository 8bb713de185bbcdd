package config

import "time"

// SchemaRegistry says where schemas are looked up by their ids and, for results in
// Avro, registered. Without URLs there is none, and no other key may be set.
type SchemaRegistry struct {
	// URLs are those of one registry's instances, http or https, without a user; the
	// first is asked until it fails. Default none.
	URLs []string `yaml:"urls"`
	// Username goes with Password or PasswordFile. Default empty: no login.
	Username string `yaml:"username"`
	// Password is needed with Username, unless PasswordFile is given. Default empty.
	Password Secret `yaml:"password"`
	// PasswordFile holds the password instead, and may change while the program
	// runs. Default empty.
	PasswordFile string `yaml:"password_file"`
	// ProxyURL is a http, https or socks5 proxy; secret as it may hold a password.
	// The environment's proxy is not used. Default none.
	ProxyURL Secret `yaml:"proxy_url"`
	// Timeout bounds one request, from dialling to the reply's last byte. Default 10s.
	Timeout time.Duration `yaml:"timeout" range:"100ms..5m"`
	// UnknownGrace is for how long an id that the registry does not know is asked for
	// again, before its record is dead-lettered. Default 1m.
	UnknownGrace time.Duration `yaml:"unknown_grace" range:"1s..1h"`
	// AutoRegister registers the schema of the results where it is missing. Default
	// true.
	AutoRegister bool        `yaml:"auto_register"`
	TLS          RegistryTLS `yaml:"tls"`
}

// RegistryTLS is the transport security of URLs with https; without one, no key here
// may be set.
type RegistryTLS struct {
	// CAFile is a PEM file of the authorities to trust. Default: the system's.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile are the PEM files of a client certificate; both or
	// neither. Default none.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name to expect in the registry's certificate. Default: the
	// URL's host.
	ServerName string `yaml:"server_name"`
	// InsecureSkipVerify accepts any certificate. For tests only. Default false.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}
