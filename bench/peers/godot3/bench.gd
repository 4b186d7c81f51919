# The seed scene as a headless Godot server in GDScript runs it: 50 players walk, 50 guards look and walk, 100 shots fly,
# 100 boxes are kept awake, and every third tick each client gets its snapshot. One loop over plain data instead of a script
# a node: what one writes who wants it fast. Answers with one line of JSON.
extends SceneTree

const TICK = 1.0 / 60.0
const GRAVITY = 24.8
const WALK = 8.0
const PATROL = 3.0
const HUNT = 6.5
const GAIN = 10.0
const SHOT_SPEED = 50.0
const SHOT_SECONDS = 5.0
const SIGHT = 20.0
const FOV_COSINE = 0.70710678

# How a client's snapshot is made: "json" and "var" build and encode one dictionary a client (as the first design did, in text and in
# Godot's own binary form), "shared" encodes what all clients have in common once.
var variant = OS.get_environment("SEED_SNAPSHOTS")
var warm_up = int(OS.get_environment("SEED_WARM_UP"))
var ticks = int(OS.get_environment("SEED_TICKS"))
var players_count = int(OS.get_environment("SEED_PLAYERS"))
var npcs_count = int(OS.get_environment("SEED_NPCS"))
var shots_count = int(OS.get_environment("SEED_SHOTS"))
var boxes_count = int(OS.get_environment("SEED_BOXES"))
var extent = float(OS.get_environment("SEED_EXTENT"))

var tick = 0
var players = []
var npcs = []
var shots = []
var boxes = []
var next_id = 1
var shooter = 0
var began_cpu = 0
var began_us = 0
var counts = {}
var done = false
var noise = RandomNumberGenerator.new()


class Character:
	var id
	var name
	var body
	var velocity = Vector3.ZERO
	var aim = Vector3.FORWARD
	var health = 100.0
	var home
	var goal
	var rest = 0
	var notices = {}
	var chased = null


class Notice:
	var suspicion = 0.0
	var state = 0
	var last_seen = Vector3.ZERO


class Shot:
	var id
	var owner
	var position
	var velocity
	var expires


func _initialize():
	noise.seed = 7
	Engine.iterations_per_second = 60
	var floor_body = StaticBody.new()
	var floor_shape = CollisionShape.new()
	floor_shape.shape = BoxShape.new()
	floor_shape.shape.extents = Vector3(80, 0.5, 80)
	floor_body.add_child(floor_shape)
	floor_body.translation = Vector3(0, 0.5, 0)
	floor_body.collision_layer = 3
	root.add_child(floor_body)
	for index in range(players_count):
		players.append(character(place(index, players_count, 0.0), "player"))
	for index in range(npcs_count):
		npcs.append(character(place(index, npcs_count, 0.5), "npc"))
	for index in range(boxes_count):
		boxes.append(box(place(index, boxes_count, 0.25)))
	reset_counts()


# The n-th place of a square lattice over the scene, shifted by a part of a cell.
func place(index, count, shift):
	var side = int(ceil(sqrt(float(count))))
	var cell = extent / side
	return Vector3((index % side + 0.25 + shift) * cell - extent / 2, 1.9, (index / side + 0.25 + shift) * cell - extent / 2)


func character(position, name):
	var one = Character.new()
	one.id = fresh_id()
	one.name = name + "-" + str(one.id)
	one.body = KinematicBody.new()
	one.body.name = one.name
	var shape = CollisionShape.new()
	shape.shape = CapsuleShape.new()
	shape.shape.radius = 0.4
	shape.shape.height = 1.0
	shape.rotation = Vector3(PI / 2, 0, 0)
	one.body.add_child(shape)
	one.body.translation = position
	one.body.set_meta("one", one)
	one.home = position
	one.goal = position
	root.add_child(one.body)
	return one


func box(position):
	var body = RigidBody.new()
	body.mass = 50
	body.name = "box" + str(fresh_id())
	var shape = CollisionShape.new()
	shape.shape = BoxShape.new()
	shape.shape.extents = Vector3(0.5, 0.5, 0.5)
	body.add_child(shape)
	body.translation = Vector3(position.x, 1.5, position.z)
	body.set_meta("id", next_id - 1)
	root.add_child(body)
	return body


func fresh_id():
	next_id += 1
	return next_id - 1


func reset_counts():
	counts = {"moved": 0, "sweeps": 0, "hits": 0, "looks": 0, "pairs": 0, "rays": 0, "seen": 0, "awake": 0, "snapshots": 0, "bytes": 0, "slid": 0.0}


func _iteration(_delta):
	if tick == warm_up:
		reset_counts()
		began_cpu = cpu_ns()
		began_us = OS.get_ticks_usec()
	if done:
		return true
	if tick == warm_up + ticks:
		done = true
		finish()
		quit()
		return true
	var space = root.world.direct_space_state
	move_players()
	launch_shots()
	move_npcs()
	for npc in npcs:
		if (tick + npc.id) % 3 == 0:
			look(npc, space)
			act(npc)
	fly(space)
	stir()
	if tick % 3 == 0 and tick >= warm_up:
		publish()
	tick += 1
	return false


func move_players():
	for index in range(players.size()):
		var one = players[index]
		var turn = (index + tick / 60) % 8 * PI / 4
		one.aim = Vector3(sin(turn), 0, -cos(turn))
		walk(one, one.aim * WALK)


func move_npcs():
	for one in npcs:
		var speed = PATROL if one.chased == null else HUNT
		var way = one.goal - one.body.translation
		way.y = 0
		if way.length() > 0.3:
			var direction = way.normalized()
			one.aim = direction
			walk(one, direction * speed)
		else:
			walk(one, Vector3.ZERO)


func walk(one, wish):
	var follow = min(GAIN * TICK, 1.0)
	one.velocity.x += (wish.x - one.velocity.x) * follow
	one.velocity.z += (wish.z - one.velocity.z) * follow
	one.velocity.y -= GRAVITY * TICK
	var before = one.body.translation
	one.velocity = one.body.move_and_slide(one.velocity, Vector3.UP, false, 4, 0.785398, false)
	counts.moved += 1
	counts.slid += (one.body.translation - before).length()
	if one.body.translation.y < -64:
		one.body.translation = one.home
		one.velocity = Vector3.ZERO


# The players shoot in turn until enough shots are in flight.
func launch_shots():
	while shots.size() < shots_count:
		var one = players[shooter % players.size()]
		shooter += 1
		var shot = Shot.new()
		shot.id = fresh_id()
		shot.owner = one.body
		shot.position = one.body.translation + Vector3(0, 0.7, 0)
		shot.velocity = (one.aim + Vector3(0, noise.randf_range(-0.02, 0.2), 0)).normalized() * SHOT_SPEED
		shot.expires = tick + int(SHOT_SECONDS * 60)
		shots.append(shot)


func fly(space):
	var still = []
	for shot in shots:
		if shot.expires <= tick:
			continue
		var to = shot.position + shot.velocity * TICK
		var hit = space.intersect_ray(shot.position, to, [shot.owner])
		counts.sweeps += 1
		if hit.empty():
			shot.position = to
			still.append(shot)
			continue
		counts.hits += 1
		if hit.collider.has_meta("one"):
			var one = hit.collider.get_meta("one")
			one.health -= 10
			if one.health <= 0:
				one.health = 100.0
				one.body.translation = one.home
	shots = still


# Whom one guard sees: in range, in view, nothing but air between.
func look(npc, space):
	counts.looks += 1
	var here = npc.body.translation
	var eye = here + Vector3(0, 0.6, 0)
	var flat_aim = Vector3(npc.aim.x, 0, npc.aim.z).normalized()
	var seen = {}
	for player in players:
		var there = player.body.translation
		counts.pairs += 1
		if here.distance_squared_to(there) > SIGHT * SIGHT:
			continue
		var offset = Vector3(there.x - here.x, 0, there.z - here.z)
		if offset.dot(flat_aim) < offset.length() * FOV_COSINE:
			continue
		counts.rays += 1
		# As ours, only terrain stands in the way: it alone is in layer 2.
		if space.intersect_ray(eye, there + Vector3(0, -0.4, 0), [], 2).empty():
			seen[player] = there
			counts.seen += 1
	for player in seen:
		if not npc.notices.has(player):
			npc.notices[player] = Notice.new()
		npc.notices[player].last_seen = seen[player]
	for player in npc.notices.keys():
		var notice = npc.notices[player]
		notice.suspicion += (2.0 if seen.has(player) else -0.2) * 3.0 * TICK
		notice.suspicion = clamp(notice.suspicion, 0.0, 1.0)
		if notice.suspicion >= 1.0:
			notice.state = 2
		elif notice.suspicion < 0.3:
			notice.state = 0
		elif notice.state == 0:
			notice.state = 1
		if notice.suspicion <= 0.0:
			npc.notices.erase(player)


# Chases the nearest that it has spotted, else walks its rounds.
func act(npc):
	var here = npc.body.translation
	npc.chased = null
	var nearest = INF
	for player in npc.notices:
		var notice = npc.notices[player]
		if notice.state == 2 and here.distance_squared_to(notice.last_seen) < nearest:
			nearest = here.distance_squared_to(notice.last_seen)
			npc.chased = player
	if npc.chased != null:
		npc.goal = npc.notices[npc.chased].last_seen
	elif here.distance_to(npc.goal) < 0.5:
		if npc.rest == 0:
			npc.rest = tick + 120
		elif tick >= npc.rest:
			npc.rest = 0
			npc.goal = npc.home + Vector3(noise.randf_range(-8, 8), 0, noise.randf_range(-8, 8))


# Each box gets a small kick twice a second, so that none falls asleep.
func stir():
	for index in range(boxes.size()):
		var body = boxes[index]
		if (tick + index) % 30 == 0:
			body.apply_central_impulse(Vector3(0, 50, 0))
		if not body.sleeping:
			counts.awake += 1


func publish():
	if variant == "shared":
		var entities = to_json(entity_states())
		for player in players:
			var text = "{\"type\":101,\"server_tick\":" + str(tick) + ",\"entities\":" + entities + ",\"player_state\":" + to_json(player_state(player)) + "}"
			sent(text.length())
	else:
		for player in players:
			var snapshot = {"type": 101, "server_tick": tick, "entities": entity_states(), "player_state": player_state(player)}
			if variant == "json":
				sent(to_json(snapshot).length())
			else:
				sent(var2bytes(snapshot).size())


func sent(bytes):
	counts.snapshots += 1
	counts.bytes += bytes


func entity_states():
	var all = []
	for one in players:
		all.append(character_state(one, 1))
	for one in npcs:
		all.append(character_state(one, 2))
	for shot in shots:
		all.append({"id": shot.id, "t": 3, "p": rounded(shot.position), "r": [0, 0, 0], "v": rounded(shot.velocity), "h": 0})
	for body in boxes:
		all.append({"id": body.get_meta("id"), "t": 4, "p": rounded(body.translation), "r": rounded(body.rotation), "v": rounded(body.linear_velocity), "h": 0, "x": {"name": "crate"}})
	return all


func character_state(one, kind):
	return {"id": one.id, "t": kind, "p": rounded(one.body.translation), "r": [0, atan2(-one.aim.x, -one.aim.z), 0], "v": rounded(one.velocity), "h": one.health, "x": {"name": one.name, "hm": 100}}


func player_state(one):
	return {"seq": tick, "p": rounded(one.body.translation), "v": rounded(one.velocity), "g": true}


func rounded(v):
	return [stepify(v.x, 0.001), stepify(v.y, 0.001), stepify(v.z, 0.001)]


# Of the main thread, on which everything here runs.
func cpu_ns():
	var file = File.new()
	file.open("/proc/self/schedstat", File.READ)
	return int(file.get_line().split(" ")[0])


func finish():
	counts["cpu_ms"] = (cpu_ns() - began_cpu) / 1e6 / ticks
	counts["wall_ms"] = (OS.get_ticks_usec() - began_us) / 1e3 / ticks
	for key in ["moved", "sweeps", "hits", "looks", "pairs", "rays", "seen", "awake", "slid"]:
		counts[key] = counts[key] / float(ticks)
	counts["shots"] = shots.size()
	var lowest = INF
	for one in players + npcs:
		lowest = min(lowest, one.body.translation.y)
	counts["lowest"] = lowest
	print(to_json(counts))
