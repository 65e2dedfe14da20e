#!/bin/sh
# Makes what closes the internal ports: a CA, a certificate for each service, and the secret that grants are signed with.
#
#   deploy/internal-secrets.sh FOLDER
#
# Run again, it renews the certificates under the same CA and keeps the secret. Keep FOLDER/ca.key out of the cluster.
# docs/operations.md ("Inside") tells how the files become Secrets.
set -eu
folder=${1:?"name the folder for the files"}
namespace=${NAMESPACE:-headshots}
days=${DAYS:-90}
umask 077
mkdir -p "$folder"
cd "$folder"

test -f grants.key || openssl rand -hex 32 >grants.key
if ! test -f ca.key; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.crt -days 3650 \
        -subj /CN=headshots-internal -addext keyUsage=critical,keyCertSign 2>/dev/null
fi
for service in gateway trainer generator; do
    mkdir -p "$service"
    usage=serverAuth
    test "$service" != gateway || usage=clientAuth
    names="DNS:$service,DNS:$service.$namespace,DNS:$service.$namespace.svc"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$service/tls.key" \
        -out "$service/request" -subj "/CN=$service" 2>/dev/null
    printf 'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=%s\nsubjectAltName=%s\n' "$usage" "$names" \
        >"$service/extensions"
    openssl x509 -req -in "$service/request" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$days" \
        -extfile "$service/extensions" -out "$service/tls.crt" 2>/dev/null
    rm "$service/request" "$service/extensions"
    cp ca.crt "$service/ca.crt"
done
