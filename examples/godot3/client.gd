extends SceneTree
# A whole client for Godot 3 in one file: it logs in, makes a world, walks, fires, digs, casts a spell, and says what it saw of that.
#
#     godot3-server --path examples/godot3 -s client.gd --url=http://127.0.0.1:5000
#
# Ends with 0 if all of it happened, else says what did not, and ends with 1. It speaks `ugc.v1.json`. Metres and seconds; y is up.

# What a client says, and what it hears: the `type` of a message.
enum { HANDSHAKE = 1, INPUT_FRAME = 2, TERRAFORM_REQUEST = 3, CHUNK_REQUEST = 4, DISCONNECT = 6, SPELL_CAST_REQUEST = 7 }
enum { HANDSHAKE_RESPONSE = 100, STATE_SNAPSHOT = 101, ENTITY_SPAWN = 102, PROJECTILE_HIT = 104, TERRAFORM_APPLIED = 106, CHUNK_DATA = 107, ERROR = 109 }
enum { SPELL_CAST_EVENT = 112, SPELL_EFFECT = 120, SPELL_CAST_REJECTED = 121, SPELL_ACTIVE_UPDATE = 122 }

const PROJECTILE = 3  # an entity_type
const SUBTRACT = 2  # an op_type
const AIR = 0  # a material
const CHUNK_EDGE = 32  # voxels, each of 1 m
const DEADLINE_MS = 20000  # for anything that is waited for; most of it comes within a second

var url := "http://127.0.0.1:5000"
var player := {}
var socket := WebSocketClient.new()
var inbox := []  # messages that nobody has looked at yet
var waiting_for := ""
var deadline_ms := 0

# The controls. Whoever sets them steers the player.
var aim := Vector3(1, 0, 0)
var movement := Vector3.ZERO  # -1 to 1, as seen by who aims: right, up, back
var fire := false

var me := 0.0  # our own entity; all numbers in Godot's JSON are floats
var position := Vector3.ZERO
var speed := 0.0
var grounded := false
var sequence := 0
var tick := 0.0

func _initialize():
	for argument in OS.get_cmdline_args():
		if argument.begins_with("--url="):
			url = argument.trim_prefix("--url=")
	# Each of these waits, so each has to be waited for.
	yield(login(), "completed")
	var spell = yield(build("fireball"), "completed")
	yield(join(), "completed")
	yield(walk(6.0), "completed")
	yield(shoot(), "completed")
	var hole := Vector3(position.x + 6, 0.5, position.z)
	yield(dig(hole, 1), "completed")
	yield(publish(spell), "completed")
	yield(cast(spell, hole), "completed")
	say({ "type": DISCONNECT })
	print("all of it happened")
	quit(0)

# Each frame.
func _idle(_delta):
	socket.poll()
	if OS.get_ticks_msec() > deadline_ms:
		fail("waited %d s for %s" % [DEADLINE_MS / 1000, waiting_for])

# 60 times a second, as the server's ticks.
func _iteration(_delta):
	if me == 0:
		return
	sequence += 1
	say({
		"type": INPUT_FRAME, "client_tick": sequence, "server_tick_ack": tick, "sequence_id": sequence, "movement": list(movement),
		"aim_direction": list(aim), "sprint": false, "fire": fire, "interact": false, "jump": false
	})

# GDScript has no exceptions: this frame is the last one, and whoever waits for the next goes no further.
func fail(what: String):
	printerr("failed: ", what)
	quit(1)
	yield(self, "idle_frame")

func expect(what: String):
	waiting_for = what
	deadline_ms = OS.get_ticks_msec() + DEADLINE_MS

# --- the control plane: JSON over HTTP ---

func http(method: int, path: String, body = null):
	expect("an answer of " + path)
	var request := HTTPRequest.new()
	root.add_child(request)
	var headers := ["Content-Type: application/json"]
	if player:
		headers.append("Authorization: Bearer " + player.session_token)
	request.request(url + path, headers, true, method, "" if body == null else JSON.print(body))
	var answer = yield(request, "request_completed")  # result, status, headers, body
	request.queue_free()
	var text = answer[3].get_string_from_utf8()
	if answer[0] != HTTPRequest.RESULT_SUCCESS or answer[1] < 200 or answer[1] > 299:
		yield(fail("%s: result %d, status %d %s" % [path, answer[0], answer[1], text]), "completed")
	return JSON.parse(text).result

func login():
	player = yield(http(HTTPClient.METHOD_POST, "/login", {}), "completed")
	print("login      %s (%s)" % [player.username, player.client_id])

# A spell from its source, under a name that nobody else has: spells belong to who built them first.
func build(name: String):
	var code := ""
	var library = yield(http(HTTPClient.METHOD_GET, "/api/library"), "completed")
	for spell in library:
		if spell.spell_id == name:
			code = spell.code
	var spell_id = name + "_" + player.client_id.right(player.client_id.length() - 6)
	var job = yield(http(HTTPClient.METHOD_POST, "/api/spells/%s/build" % spell_id, { "code": code }), "completed")
	while not job.get("status") in ["completed", "failed"]:
		# Answered when the job has ended, or after so many milliseconds.
		job = yield(http(HTTPClient.METHOD_GET, "/api/jobs/%s?wait_ms=5000" % job.job_id), "completed")
	if job.status == "failed":
		yield(fail("the build: " + job.error_message), "completed")
	print("build      %s %s" % [spell_id, job.result_revision_id])
	return { "spell_id": spell_id, "revision_id": job.result_revision_id }

# From now on, casts of the spell run this revision, in all worlds.
func publish(spell: Dictionary):
	var wish := { "revision_id": spell.revision_id, "channel": "stable" }
	yield(http(HTTPClient.METHOD_POST, "/api/spells/%s/publish" % spell.spell_id, wish), "completed")

# --- the game server: messages over a WebSocket ---

# Asks for a new world, connects to it, and waits until the fall from the spawn point has ended.
func join():
	var place = yield(http(HTTPClient.METHOD_POST, "/join", { "name": "Made by client.gd" }), "completed")
	expect("the game server")
	socket.connect("data_received", self, "hear")
	socket.connect("connection_error", self, "fail", ["no connection to the game server"])
	socket.connect("server_close_request", self, "closed")
	socket.connect_to_url(place.server_address, ["ugc.v1.json"])
	yield(socket, "connection_established")
	# Frames are binary otherwise, and this protocol has text frames only.
	socket.get_peer(1).set_write_mode(WebSocketPeer.WRITE_MODE_TEXT)
	say({ "type": HANDSHAKE, "protocol_version": 1, "session_token": place.session_token, "client_id": place.client_id, "timestamp": 0 })
	var answer = yield(wait_for("the handshake's answer", HANDSHAKE_RESPONSE), "completed")
	if not answer.success:
		yield(fail("not let in: " + answer.error), "completed")
	me = answer.assigned_entity_id
	while not grounded:
		yield(wait_for("the ground", STATE_SNAPSHOT), "completed")
	print("join       %s at %s, as entity %d" % [place.world_id, place.server_address, me])

func say(message: Dictionary):
	socket.get_peer(1).put_packet(JSON.print(message).to_utf8())

func hear():
	var message = JSON.parse(socket.get_peer(1).get_packet().get_string_from_utf8()).result
	tick = message.get("server_tick", tick)
	if int(message.type) in [ERROR, SPELL_CAST_REJECTED]:
		fail("the server refused: " + message.message)
	inbox.append(message)

func closed(code: int, reason: String):
	fail("the server closed the connection: %d %s" % [code, reason])

# The next message of this type with these fields; those before it are looked at and gone.
func wait_for(what: String, type: int, fields := {}):
	expect(what)
	while true:
		yield(self, "idle_frame")
		while not inbox.empty():
			var message = inbox.pop_front()
			if message.type == STATE_SNAPSHOT:
				position = vector(message.player_state.p)
				speed = vector(message.player_state.v).length()
				grounded = message.player_state.g
			if message.type == type and has(message, fields):
				return message

func has(message: Dictionary, fields: Dictionary) -> bool:
	for field in fields:
		if message.get(field) != fields[field]:
			return false
	return true

func walk(metres: float):
	var start := position
	movement = Vector3(0, 0, -1)
	while position.distance_to(start) < metres:
		yield(wait_for("%d m of walking" % metres, STATE_SNAPSHOT), "completed")
	movement = Vector3.ZERO
	while speed > 0.1:
		yield(wait_for("a stand", STATE_SNAPSHOT), "completed")
	print("walk       %.1f m, from %s to %s" % [position.distance_to(start), words(start), words(position)])

# Shoots at the ground ahead, and follows the shot.
func shoot():
	aim = Vector3(1, -0.2, 0)
	fire = true
	var shot = yield(wait_for("our projectile", ENTITY_SPAWN, { "entity_type": PROJECTILE }), "completed")
	while shot.properties.get("owner") != me:
		shot = yield(wait_for("our projectile", ENTITY_SPAWN, { "entity_type": PROJECTILE }), "completed")
	fire = false
	var hit = yield(wait_for("its hit", PROJECTILE_HIT, { "projectile_id": shot.entity_id }), "completed")
	var what = "the ground" if hit.hit_entity_id == 0 else str(hit.hit_entity_id)
	print("fire       projectile %d spawned, and hit %s at %s" % [shot.entity_id, what, words(vector(hit.hit_point))])

# The chunk's message with its voxels: a byte each, the one at x, y, z within the chunk at x + 32 y + 1024 z.
func fetch_chunk(chunk_id: Vector3):
	say({ "type": CHUNK_REQUEST, "chunk_id": list(chunk_id), "last_known_version": 0 })
	var chunk = yield(wait_for("chunk %s" % chunk_id, CHUNK_DATA), "completed")
	while vector(chunk.chunk_id) != chunk_id:
		chunk = yield(wait_for("chunk %s" % chunk_id, CHUNK_DATA), "completed")
	chunk.voxels = Marshalls.base64_to_raw(chunk.data).decompress(CHUNK_EDGE * CHUNK_EDGE * CHUNK_EDGE, File.COMPRESSION_GZIP)
	return chunk

# Takes a sphere out of the ground, and looks whether it is gone.
func dig(center: Vector3, number: int):
	var chunk_id := (center / CHUNK_EDGE).floor()
	var place := center.floor() - chunk_id * CHUNK_EDGE
	var middle := int(place.x + CHUNK_EDGE * place.y + CHUNK_EDGE * CHUNK_EDGE * place.z)
	var before = yield(fetch_chunk(chunk_id), "completed")
	say({ "type": TERRAFORM_REQUEST, "op_type": SUBTRACT, "center": list(center), "radius": 2, "material_id": 0, "client_sequence_id": number })
	var applied = yield(wait_for("our hole", TERRAFORM_APPLIED, { "client_sequence_id": number }), "completed")
	var after = yield(fetch_chunk(chunk_id), "completed")
	var announced := false
	for chunk in applied.affected_chunks:
		announced = announced or vector(chunk.chunk_id) == chunk_id and chunk.new_version == after.version
	if not announced:
		yield(fail("the chunk has version %d, and the server said %s" % [after.version, applied.affected_chunks]), "completed")
	if before.voxels[middle] == AIR or after.voxels[middle] != AIR:
		yield(fail("the voxel in the middle of the hole was %d and is %d" % [before.voxels[middle], after.voxels[middle]]), "completed")
	var changed := 0
	for index in before.voxels.size():
		changed += int(before.voxels[index] != after.voxels[index])
	print("terraform  %d applied at %s: %d voxels of chunk %s changed, version %d" % [number, words(center), changed, list(chunk_id), after.version])

# Casts as soon as the world runs the revision, and waits for the cast and for the spell's first cue.
func cast(spell: Dictionary, target: Vector3):
	yield(wait_for("the spell to be live", SPELL_ACTIVE_UPDATE, spell), "completed")
	say({
		"type": SPELL_CAST_REQUEST, "spell_id": spell.spell_id, "revision_id": "", "target_position": list(target), "target_entity_id": 0,
		"extra_params": {}
	})
	var ours := { "spell_id": spell.spell_id, "revision_id": spell.revision_id, "caster_entity_id": me }
	var begun = yield(wait_for("our cast", SPELL_CAST_EVENT, ours), "completed")
	var cue = yield(wait_for("its first cue", SPELL_EFFECT, ours), "completed")
	print("cast       %s in tick %d, seen as %s at %s" % [spell.spell_id, begun.server_tick, cue.name, words(vector(cue.position))])

func vector(list: Array) -> Vector3:
	return Vector3(list[0], list[1], list[2])

func list(vector: Vector3) -> Array:
	return [vector.x, vector.y, vector.z]

func words(position: Vector3) -> String:
	return "%.1f %.1f %.1f" % [position.x, position.y, position.z]
