#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fake_chimed: a Varlink server with canned replies, for what the real one never does: replies that break off, nonsense, hostile text.

    fake_chimed.py SOCKET REPLIES

REPLIES is a JSON object: method (without the interface) to a list of replies, sent one after the other to each call. A reply is an
object (sent as it is), or a string: sent raw, "CLOSE" closes the connection. Prints a line for each call. Ends with its standard input.
"""
import json
import os
import select
import socket
import sys


def answer(connection, text, replies):
    call = json.loads(text)
    method = call["method"].rpartition(".")[2]
    print(method, json.dumps(call.get("parameters", {}), sort_keys=True), "more" if call.get("more") else "", flush=True)
    missing = [{"error": "org.varlink.service.MethodNotFound", "parameters": {"method": call["method"]}}]
    for reply in replies.get(method, missing):
        if reply == "CLOSE":
            return False
        data = reply if isinstance(reply, str) else json.dumps(reply) + "\0"
        connection.sendall(data.encode("utf-8", "surrogatepass"))
    return True


def serve(listener, replies):
    waiting = {}
    while True:
        ready, _, _ = select.select([listener, sys.stdin, *waiting], [], [])
        for source in ready:
            if source is sys.stdin:
                return
            if source is listener:
                waiting[listener.accept()[0]] = b""
                continue
            data = source.recv(65536)
            *calls, rest = (waiting[source] + data).split(b"\0")
            waiting[source] = rest
            if not data or not all([answer(source, text, replies) for text in calls]):
                del waiting[source]
                source.close()


def main():
    path, replies = sys.argv[1:3]
    folder, name = os.path.split(path)
    with open(replies, encoding="utf-8") as file:
        replies = json.load(file)
    os.chdir(folder or ".")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        print("ready", flush=True)
        serve(listener, replies)


main()
