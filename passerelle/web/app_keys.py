"""What the web application carries, by key."""

from aiohttp import web

from passerelle.flows.context import FlowContext

#: The store, the configuration, the words and the time.
CONTEXT: web.AppKey[FlowContext] = web.AppKey("context", FlowContext)
