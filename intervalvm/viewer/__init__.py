"""A window: a page that shows a shape while it is moved, turned, set and edited.

``source`` reads the shape, ``request`` what a page asks for, ``scene`` draws it, ``session`` is one
page's talk with a scene, and ``server`` carries it over a websocket.
"""
