#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges what lockhub publishes by the rules of Home Assistant's MQTT integration, without it.

Home Assistant answers nothing over MQTT: a message with a mistake is dropped, and all that anybody
sees is an entity that is not there. So the rules are written down here a second time, and tests hold
what the daemon publishes against them.

usage: ha_validate.py [options] DUMP.json ...      0: fine, 1: mistakes (printed), 2: cannot check
       ha_validate.py --self-test                  proves on broken samples that mistakes are found

A dump is {topic: {"payload": text or JSON, "retain": bool, "qos": number}}: the last message seen on
each topic, with the retain flag as stored by the broker. Options:

  --prefix TOPIC       discovery prefix (homeassistant)
  --config-only        the dump holds discovery messages and nothing else
  --subscribed FILTER  a topic filter that lockhub has subscribed; repeat. Without any: not checked
  --secret TEXT        must not occur in any payload; repeat
  --unique-ids FILE    the golden list (unique-ids.txt beside this program)

As a library: mistakes = validate(dump, ...), a list of texts, empty when all is well.
"""

import argparse
import copy
import datetime
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PAYLOAD_MAX = 64 * 1024

TOPIC_PARTS = re.compile(r'^(?P<component>[^/]+)(/(?P<node>[A-Za-z0-9_-]+))?'
                         r'/(?P<object>[A-Za-z0-9_-]+)/config$')

# ---- what is known (Home Assistant 2024.11 to 2025.6) ----

AVAILABILITY_KEYS = {'availability', 'availability_topic', 'availability_mode',
                     'availability_template', 'payload_available', 'payload_not_available'}
ROOT_KEYS = {'device', 'origin', 'components', 'state_topic', 'command_topic', 'qos',
             'encoding'} | AVAILABILITY_KEYS
DEVICE_KEYS = {'identifiers', 'connections', 'name', 'manufacturer', 'model', 'model_id',
               'serial_number', 'hw_version', 'sw_version', 'via_device', 'suggested_area',
               'configuration_url'}
ORIGIN_KEYS = {'name', 'sw_version', 'support_url'}
COMMON_KEYS = {'platform', 'unique_id', 'name', 'device_class', 'entity_category',
               'enabled_by_default', 'icon', 'entity_picture', 'json_attributes_topic', 'qos',
               'encoding', 'device', 'origin'} | AVAILABILITY_KEYS
COMMANDS = {'command_topic', 'command_template', 'retain', 'optimistic',
            'message_expiry_interval'}
PLATFORM_KEYS = {
    'lock': {'state_topic', 'value_template', 'payload_lock', 'payload_unlock', 'payload_open',
             'payload_reset', 'state_locked', 'state_unlocked', 'state_locking',
             'state_unlocking', 'state_jammed', 'state_open', 'state_opening',
             'code_format'} | COMMANDS,
    'sensor': {'state_topic', 'value_template', 'unit_of_measurement', 'state_class', 'options',
               'suggested_display_precision', 'expire_after', 'force_update'},
    'binary_sensor': {'state_topic', 'value_template', 'payload_on', 'payload_off', 'off_delay',
                      'expire_after', 'force_update'},
    'event': {'state_topic', 'value_template', 'event_types'},
    'update': {'state_topic', 'value_template', 'latest_version_topic', 'payload_install',
               'display_precision', 'command_topic', 'retain', 'title', 'release_url'},
    'button': {'payload_press'} | COMMANDS,
    'number': {'state_topic', 'value_template', 'min', 'max', 'step', 'mode', 'payload_reset',
               'unit_of_measurement'} | COMMANDS,
    'select': {'state_topic', 'value_template', 'options'} | COMMANDS,
    'switch': {'state_topic', 'value_template', 'payload_on', 'payload_off', 'state_on',
               'state_off'} | COMMANDS,
    'text': {'state_topic', 'value_template', 'min', 'max', 'mode', 'pattern', 'command_topic',
             'command_template', 'retain', 'message_expiry_interval'},
}
REQUIRED = {'lock': ['command_topic', 'state_topic'], 'sensor': ['state_topic'],
            'binary_sensor': ['state_topic'], 'event': ['state_topic', 'event_types'],
            'update': ['state_topic'], 'button': ['command_topic'],
            'number': ['command_topic', 'state_topic'],
            'select': ['command_topic', 'state_topic', 'options'],
            'switch': ['command_topic', 'state_topic'],
            'text': ['command_topic', 'state_topic']}
CLASSES = {
    'lock': set(), 'select': set(), 'text': set(),
    'sensor': {'battery', 'signal_strength', 'voltage', 'temperature', 'duration', 'timestamp',
               'enum'},
    'binary_sensor': {'battery', 'battery_charging', 'connectivity', 'door', 'lock', 'problem',
                      'tamper', 'safety', 'running', 'update', 'vibration', 'opening'},
    'event': {'button', 'doorbell', 'motion'}, 'update': {'firmware'},
    'button': {'identify', 'restart', 'update'}, 'number': {'duration', 'battery', 'voltage'},
    'switch': {'outlet', 'switch'},
}
UNITS = {'battery': {'%'}, 'signal_strength': {'dBm', 'dB'}, 'voltage': {'V', 'mV'},
         'temperature': {'\u00b0C', '\u00b0F', 'K'},
         'duration': {'d', 'h', 'min', 's', 'ms', '\u03bcs'},
         'timestamp': {None}, 'enum': {None}}
STATE_CLASSES = {'measurement', 'total', 'total_increasing'}
LOCK_WORDS = {'LOCKED', 'UNLOCKED', 'LOCKING', 'UNLOCKING', 'JAMMED', 'OPEN', 'OPENING', 'None'}
# Dropped by Home Assistant, so of no use, and a sign of a misunderstanding.
ATTRIBUTE_NAMES_LOST = {
    'changed_by', 'code_format', 'assumed_state', 'available', 'device_class', 'device_info',
    'entity_category', 'entity_picture', 'entity_registry_enabled_default',
    'extra_state_attributes', 'force_update', 'friendly_name', 'icon', 'should_poll', 'state',
    'supported_features', 'unique_id', 'unit_of_measurement'}


def load_unique_ids(path=None):
    """[(regular expression, platform)]"""
    rows = []
    with open(path or os.path.join(HERE, 'unique-ids.txt'), encoding='utf-8') as file:
        for line in file:
            words = line.split('#')[0].split()
            if words:
                text = re.escape(words[0]).replace('LOCK', '[0-9a-f]{8}')
                text = text.replace('HUB', '[A-Za-z0-9_-]+').replace('USER', '[0-9a-f]{8}')
                text = text.replace('ADAPTER', '[0-9a-f]{12}')
                rows.append((re.compile('^%s$' % text), words[1]))
    return rows


def topic_matches(topic_filter, topic):
    """MQTT's + and #."""
    pattern, parts = topic_filter.split('/'), topic.split('/')
    for i, word in enumerate(pattern):
        if word == '#':
            return True
        if i >= len(parts) or (word != '+' and word != parts[i]):
            return False
    return len(pattern) == len(parts)


def is_time(text):
    try:
        return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).tzinfo is not None
    except ValueError:
        return False


class Check:
    """One run over one dump."""

    def __init__(self, dump, prefix, config_only, subscribed, secrets, unique_ids):
        self.dump = dump
        self.prefix = prefix
        self.config_only = config_only
        self.subscribed = subscribed
        self.secrets = secrets
        self.unique_ids = unique_ids
        self.seen_ids = {}
        self.mistakes = []

    def say(self, where, text, *values):
        self.mistakes.append('%s: %s' % (where, text % values))

    def payload_text(self, topic):
        payload = self.dump[topic].get('payload', '')
        return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)

    # -- discovery messages --

    def run(self):
        for topic in sorted(self.dump):
            text = self.payload_text(topic)
            if topic.startswith(self.prefix + '/') and topic.endswith('/config') and text != '':
                self.config(topic, text)
            elif topic.startswith(self.prefix + '/') and topic.endswith('/config'):
                pass  # emptied: removed
            for secret in self.secrets:
                if secret in text:
                    self.say(topic, 'a secret of the test database is in the payload')
        if not self.seen_ids:
            self.say(self.prefix, 'no entity is announced at all')
        return self.mistakes

    def config(self, topic, text):
        message = self.dump[topic]
        match = TOPIC_PARTS.match(topic[len(self.prefix) + 1:])
        if match is None:
            self.say(topic, 'the topic has other characters than letters, digits, _ and -')
            return
        if not message.get('retain'):
            self.say(topic, 'discovery is not retained')
        if message.get('qos') != 1:
            self.say(topic, 'discovery has QoS %s and not 1', message.get('qos'))
        if len(text.encode('utf-8', 'surrogatepass')) >= PAYLOAD_MAX:
            self.say(topic, 'the message has 64 kB or more')
        try:
            text.encode('utf-8')
            config = json.loads(text)
        except ValueError as error:
            self.say(topic, 'not valid UTF-8 JSON: %s', error)
            return
        if not isinstance(config, dict):
            self.say(topic, 'not a JSON object')
        elif match.group('component') == 'device':
            self.device_message(topic, config)
        else:
            self.single_message(topic, match.group('component'), match.group('object'), config)

    def device_message(self, topic, config):
        for key in sorted(set(config) - ROOT_KEYS):
            self.say(topic, 'unknown root key "%s" loses the whole message', key)
        if not isinstance(config.get('origin'), dict):
            self.say(topic, 'origin is missing')
        self.block(topic, config)
        components = config.get('components')
        if not isinstance(components, dict) or not components:
            self.say(topic, 'no components')
            return
        for key, component in components.items():
            where = '%s %s' % (topic, key)
            if not re.match(r'^[A-Za-z0-9_-]+$', key):
                self.say(where, 'the key has other characters than letters, digits, _ and -')
            if not isinstance(component, dict) or 'platform' not in component:
                self.say(where, 'a component without platform')
                continue
            if set(component) == {'platform'}:
                continue  # to be removed
            if len(component) < 3:
                self.say(where, 'platform and unique_id alone are not enough')
            for own in ('device', 'origin'):
                if own in component:
                    self.say(where, '"%s" belongs to the root', own)
            if 'availability' in component and 'availability_topic' in config or \
                    'availability_topic' in component and 'availability' in config:
                self.say(where, 'availability clashes with that of the root')
            inherited = {k: config[k] for k in AVAILABILITY_KEYS & set(config)}
            self.component(where, component['platform'], component, inherited)

    def single_message(self, topic, platform, object_id, config):
        self.block(topic, config)
        if config.get('unique_id') != object_id:
            self.say(topic, 'the topic does not end in the unique_id')
        self.component(topic, platform, config, {})

    def block(self, topic, config):
        origin = config.get('origin', {'name': 'none'})
        if not isinstance(origin, dict) or not isinstance(origin.get('name'), str):
            self.say(topic, 'origin has no name')
            origin = {}
        for key in sorted(set(origin) - ORIGIN_KEYS):
            self.say(topic, 'unknown key "%s" in origin loses the message', key)
        for key, value in origin.items():
            if value is None:
                self.say(topic, 'null for "%s" in origin loses the message', key)
        device = config.get('device')
        if not isinstance(device, dict):
            self.say(topic, 'device is missing')
            return
        for key in sorted(set(device) - DEVICE_KEYS):
            self.say(topic, 'unknown key "%s" in device loses the message', key)
        if not device.get('identifiers') and not device.get('connections'):
            self.say(topic, 'the device has neither identifiers nor connections')
        for key, value in device.items():
            if key == 'connections':
                if not all(isinstance(pair, list) and len(pair) == 2 for pair in value or []):
                    self.say(topic, 'connections are not pairs')
            elif key == 'identifiers':
                ids = [value] if isinstance(value, str) else value
                if not all(isinstance(one, str) for one in ids or []):
                    self.say(topic, 'identifiers are not texts')
            elif not isinstance(value, str) or value == '':
                self.say(topic, '"%s" in device is not a text', key)
        url = device.get('configuration_url')
        if isinstance(url, str) and not re.match(r'^(https?|homeassistant)://', url):
            self.say(topic, 'configuration_url has no known scheme')

    # -- components --

    def component(self, where, platform, component, inherited):
        if platform not in PLATFORM_KEYS:
            self.say(where, 'unknown platform "%s"', platform)
            return
        for key in sorted(set(component) - COMMON_KEYS - PLATFORM_KEYS[platform]):
            self.say(where, 'key "%s" is not one of %s', key, platform)
        for key in REQUIRED[platform]:
            if key not in component:
                self.say(where, '%s needs "%s"', platform, key)
        if 'qos' not in component:
            self.say(where, 'no qos: the root does not pass it down')
        elif component['qos'] not in (0, 1):
            self.say(where, 'qos is %s', component['qos'])
        for key, value in component.items():
            if value is None and key != 'name':
                self.say(where, '"%s" is null', key)
        if platform != 'lock' and 'name' in component and component['name'] is None:
            self.say(where, 'only the lock is the main thing of its device (name null)')
        self.unique_id(where, platform, component)
        self.classes(where, platform, component)
        self.commands(where, platform, component)
        self.availability(where, component, inherited)
        if not self.config_only:
            self.states(where, platform, component)

    def unique_id(self, where, platform, component):
        unique_id = component.get('unique_id')
        if not isinstance(unique_id, str):
            self.say(where, 'unique_id is missing: it loses the whole message')
            return
        if unique_id in self.seen_ids:
            self.say(where, 'unique_id %s is also at %s', unique_id, self.seen_ids[unique_id])
        self.seen_ids[unique_id] = where
        golden = [kind for row, kind in self.unique_ids if row.match(unique_id)]
        if not golden:
            self.say(where, 'unique_id %s is not in unique-ids.txt', unique_id)
        elif platform not in golden:
            self.say(where, 'unique_id %s was released as %s', unique_id, golden[0])

    def classes(self, where, platform, component):
        kind = component.get('device_class')
        if kind is not None and kind not in CLASSES[platform]:
            self.say(where, 'device_class "%s" is none of %s', kind, platform)
        category = component.get('entity_category')
        if category not in (None, 'diagnostic', 'config'):
            self.say(where, 'entity_category "%s"', category)
        if category == 'config' and platform in ('sensor', 'binary_sensor'):
            self.say(where, 'entity_category config is refused for %s', platform)
        if platform == 'button' and kind == 'identify' and category != 'diagnostic':
            self.say(where, 'an identify button must be diagnostic')
        if platform == 'sensor':
            self.sensor(where, component, kind)
        if platform == 'number':
            self.number(where, component, kind)
        if platform == 'select' and not component.get('options'):
            self.say(where, 'select without options')
        if platform == 'text':
            self.text(where, component)
        if platform == 'event':
            types = component.get('event_types')
            if not isinstance(types, list) or not types or \
                    not all(isinstance(one, str) for one in types):
                self.say(where, 'event_types is not a list of words')
            elif len(set(types)) != len(types):
                self.say(where, 'event_types holds a word twice')

    def sensor(self, where, component, kind):
        unit = component.get('unit_of_measurement')
        state_class = component.get('state_class')
        if kind in UNITS and unit not in UNITS[kind]:
            self.say(where, 'unit "%s" does not suit device_class %s', unit, kind)
        if state_class is not None and state_class not in STATE_CLASSES:
            self.say(where, 'state_class "%s"', state_class)
        if state_class is not None and kind in ('enum', 'timestamp'):
            self.say(where, 'state_class does not go with device_class %s', kind)
        if 'options' in component and kind != 'enum':
            self.say(where, 'options without device_class enum')
        if kind == 'enum' and not component.get('options'):
            self.say(where, 'device_class enum without options')

    def number(self, where, component, kind):
        low, high = component.get('min', 1), component.get('max', 100)
        if not low < high:
            self.say(where, 'min %s is not below max %s', low, high)
        if component.get('step', 1) < 0.001:
            self.say(where, 'step %s is less than 0.001', component['step'])
        if component.get('mode', 'auto') not in ('auto', 'box', 'slider'):
            self.say(where, 'mode "%s"', component['mode'])
        if kind in UNITS and component.get('unit_of_measurement') not in UNITS[kind]:
            self.say(where, 'unit "%s" does not suit device_class %s',
                     component.get('unit_of_measurement'), kind)

    def text(self, where, component):
        if not 0 <= component.get('min', 0) <= component.get('max', 255) <= 255:
            self.say(where, 'min and max are not within 0 and 255')
        try:
            re.compile(component.get('pattern', ''))
        except re.error as error:
            self.say(where, 'pattern: %s', error)

    def commands(self, where, platform, component):
        if component.get('retain'):
            self.say(where, 'commands must not be retained')
        if component.get('optimistic'):
            self.say(where, 'optimistic shows what has not happened')
        template = component.get('command_template', '')
        if 'code' in template and not re.search(r'\{\{\s*code\s*\|\s*tojson\s*\}\}', template):
            self.say(where, 'the code does not pass through tojson: it can break out')
        code_format = component.get('code_format')
        if code_format is not None and not (code_format.startswith('^') and
                                            code_format.endswith('$')):
            self.say(where, 'code_format is not bounded by ^ and $')
        if platform == 'update' and ('command_topic' in component) != \
                ('payload_install' in component):
            self.say(where, 'command_topic and payload_install go together')
        topic = component.get('command_topic')
        if topic is not None and self.subscribed and \
                not any(topic_matches(one, topic) for one in self.subscribed):
            self.say(where, 'nobody has subscribed the command topic %s', topic)

    def availability(self, where, component, inherited):
        rows = component.get('availability', inherited.get('availability'))
        mode = component.get('availability_mode', inherited.get('availability_mode'))
        if rows is None:
            self.say(where, 'no availability: it would look alive when the hub is not')
            return
        if not isinstance(rows, list) or not all(isinstance(row, dict) and 'topic' in row
                                                 for row in rows):
            self.say(where, 'availability is not a list of topics')
            return
        if len(rows) > 1 and mode != 'all':
            self.say(where, 'availability_mode is not "all": a dead hub would be hidden')
        for row in rows:
            if not self.config_only:
                self.state(where, row['topic'], self.is_online_word)

    # -- states --

    def states(self, where, platform, component):
        topic = component.get('state_topic')
        if platform == 'event':
            self.event(where, topic, component)
        elif component.get('device_class') == 'timestamp' and topic not in self.dump:
            pass  # not known yet; older releases complain of "None" there
        elif topic is not None:
            self.state(where, topic,
                       lambda text: getattr(self, 'is_%s_state' % platform)(component, text))
        if 'json_attributes_topic' in component:
            self.state(where, component['json_attributes_topic'], self.is_attributes)

    def state(self, where, topic, judge):
        message = self.dump.get(topic)
        if message is None:
            self.say(where, 'nothing was published on %s', topic)
            return
        if not message.get('retain'):
            self.say(where, '%s is not retained', topic)
        if message.get('qos') != 1:
            self.say(where, '%s has QoS %s and not 1', topic, message.get('qos'))
        text = self.payload_text(topic)
        reason = judge(text)
        if reason is not None:
            self.say(where, '%s: payload "%s": %s', topic, text[:60], reason)

    def event(self, where, topic, component):
        message = self.dump.get(topic)
        if message is None:
            return  # none has happened
        if message.get('retain'):
            self.say(where, '%s: an event must not be retained', topic)
        try:
            event = json.loads(self.payload_text(topic))
        except ValueError:
            self.say(where, '%s: not JSON', topic)
            return
        if not isinstance(event, dict) or \
                event.get('event_type') not in component.get('event_types', []):
            self.say(where, '%s: event_type is not one of the list', topic)

    @staticmethod
    def is_online_word(text):
        return None if text in ('online', 'offline') else 'neither online nor offline'

    @staticmethod
    def is_attributes(text):
        try:
            attributes = json.loads(text)
        except ValueError:
            return 'not JSON'
        if not isinstance(attributes, dict):
            return 'not an object'
        lost = ATTRIBUTE_NAMES_LOST & set(attributes)
        if lost:
            return 'Home Assistant drops the attribute "%s"' % sorted(lost)[0]
        return None if len(text) <= 16384 else 'longer than the recorder keeps'

    @staticmethod
    def is_lock_state(_component, text):
        return None if text in LOCK_WORDS else 'not a word that Home Assistant knows'

    @staticmethod
    def is_binary_sensor_state(component, text):
        words = (component.get('payload_on', 'ON'), component.get('payload_off', 'OFF'), 'None')
        return None if text in words else 'not one of %s' % ', '.join(words)

    is_switch_state = is_binary_sensor_state

    @staticmethod
    def is_select_state(component, text):
        return None if text in component.get('options', []) + ['None'] else 'not an option'

    @staticmethod
    def is_number_state(component, text):
        try:
            number = float(text)
        except ValueError:
            return None if text == 'None' else 'not a number'
        low, high = component.get('min', 1), component.get('max', 100)
        return None if low <= number <= high else 'not within %s to %s' % (low, high)

    @staticmethod
    def is_text_state(component, text):
        if not component.get('min', 0) <= len(text) <= component.get('max', 255):
            return 'too short or too long'
        try:
            fits = re.match(component.get('pattern', ''), text) is not None
        except re.error:
            return None  # said of the component
        return None if fits else 'not of the pattern'

    @staticmethod
    def is_update_state(_component, text):
        if not text.startswith('{'):
            return None if text != '' else 'empty'
        try:
            state = json.loads(text)
        except ValueError:
            return 'not JSON'
        known = {'installed_version', 'latest_version', 'title', 'release_summary', 'release_url',
                 'entity_picture', 'in_progress', 'update_percentage'}
        if set(state) - known:
            return 'unknown key "%s"' % sorted(set(state) - known)[0]
        for key, value in state.items():
            if key not in ('in_progress', 'update_percentage') and not isinstance(value, str):
                return '"%s" is not a text' % key
        return None

    @staticmethod
    def is_sensor_state(component, text):
        kind = component.get('device_class')
        if text == '':
            return 'empty means no news; unknown is None'
        if text == 'None':
            return None
        if kind == 'timestamp':
            return None if is_time(text) else 'not an ISO 8601 time with offset'
        if kind == 'enum':
            return None if text in component.get('options', []) else 'not an option'
        if kind is not None or 'unit_of_measurement' in component or 'state_class' in component:
            try:
                number = float(text)
            except ValueError:
                return 'not a number: the old value would stay'
            if kind == 'battery' and not 0 <= number <= 100:
                return 'not within 0 to 100'
            return None
        return None if len(text) <= 255 else 'longer than 255 characters'


def validate(dump, prefix='homeassistant', config_only=False, subscribed=(), secrets=(),
             unique_ids=None):
    """The mistakes in a dump, as texts; see the top of this file."""
    rows = load_unique_ids(unique_ids)
    return Check(dump, prefix, config_only, list(subscribed), list(secrets), rows).run()


# ---- the self-test ----

def sample():
    """A good dump: a hub, a lock, their states."""
    def entity(platform, key, leaf, **more):
        row = {'platform': platform, 'unique_id': 'lockhub_9f3a71c2_' + key, 'qos': 1,
               'state_topic': 'lockhub/9f3a71c2/' + leaf}
        row.update(more)
        return row
    hub_only = [{'topic': 'lockhub/status'}]
    lock = {
        'device': {'identifiers': ['lockhub_9f3a71c2'], 'name': 'Front door',
                   'connections': [['bluetooth', 'AA:BB:CC:DD:EE:FF']],
                   'via_device': 'lockhub_hub_51d0'},
        'origin': {'name': 'lockhub', 'sw_version': '0.1.0'},
        'availability': hub_only + [{'topic': 'lockhub/9f3a71c2/availability'}],
        'availability_mode': 'all',
        'components': {
            'lock': entity('lock', 'lock', 'lock/state', name=None, retain=False,
                           command_topic='lockhub/9f3a71c2/lock/set', optimistic=False,
                           command_template='{"action":"{{ value }}","code":{{ code | tojson }}}',
                           json_attributes_topic='lockhub/9f3a71c2/lock/attributes'),
            'battery': entity('sensor', 'battery', 'battery', device_class='battery',
                              unit_of_measurement='%', state_class='measurement'),
            'fault': entity('sensor', 'fault', 'fault', device_class='enum',
                            options=['none', 'other'], availability=hub_only),
            'last_seen': entity('sensor', 'last_seen', 'last_seen', device_class='timestamp'),
            'last_event': entity('sensor', 'last_event', 'last_event', name='Last event'),
            'door': entity('binary_sensor', 'door', 'door', device_class='door'),
            'firmware': entity('update', 'firmware', 'firmware', device_class='firmware'),
            'activity': entity('event', 'activity', 'event', event_types=['locked', 'other']),
            'setting_LockNGoTime': entity(
                'number', 'setting_LockNGoTime', 'setting/LockNGoTime', min=5, max=60, retain=False,
                command_topic='lockhub/9f3a71c2/setting/LockNGoTime/set', optimistic=False,
                device_class='duration', unit_of_measurement='s', entity_category='config'),
            'setting_MotorSpeed': entity(
                'select', 'setting_MotorSpeed', 'setting/MotorSpeed', options=['standard', 'gentle'],
                command_topic='lockhub/9f3a71c2/setting/MotorSpeed/set'),
            'setting_NightModeStart': entity(
                'text', 'setting_NightModeStart', 'setting/NightModeStart', min=5, max=5,
                command_topic='lockhub/9f3a71c2/setting/NightModeStart/set',
                pattern='^[0-9]{2}:[0-9]{2}$'),
            'mqtt': {'platform': 'binary_sensor', 'unique_id': 'lockhub_hub_51d0_mqtt', 'qos': 1,
                     'state_topic': 'lockhub/status', 'payload_on': 'online',
                     'payload_off': 'offline', 'device_class': 'connectivity'},
            'rssi': {'platform': 'sensor'},
        }}
    dump = {topic: {'payload': payload, 'retain': True, 'qos': 1} for topic, payload in {
        'homeassistant/device/lockhub_9f3a71c2/config': lock,
        'lockhub/status': 'online',
        'lockhub/9f3a71c2/availability': 'online',
        'lockhub/9f3a71c2/lock/state': 'LOCKED',
        'lockhub/9f3a71c2/lock/attributes': '{"last_user":"Anna"}',
        'lockhub/9f3a71c2/battery': '87',
        'lockhub/9f3a71c2/fault': 'none',
        'lockhub/9f3a71c2/last_seen': '2026-11-22T06:00:00Z',
        'lockhub/9f3a71c2/last_event': 'unlocked by Anna',
        'lockhub/9f3a71c2/door': 'OFF',
        'lockhub/9f3a71c2/firmware': '{"installed_version":"3.7.7"}',
        'lockhub/9f3a71c2/event': '{"event_type":"locked","seq":1}',
        'lockhub/9f3a71c2/setting/LockNGoTime': '20',
        'lockhub/9f3a71c2/setting/MotorSpeed': 'standard',
        'lockhub/9f3a71c2/setting/NightModeStart': '22:30',
    }.items()}
    dump['lockhub/9f3a71c2/event']['retain'] = False
    return dump


CONFIG = 'homeassistant/device/lockhub_9f3a71c2/config'
STATE = 'lockhub/9f3a71c2/'


def broken_samples():
    """(what must be said, function that breaks a good dump)"""
    def root(**more):
        return lambda d: d[CONFIG]['payload'].update(more)

    def device(**more):
        return lambda d: d[CONFIG]['payload']['device'].update(more)

    def part(key, **more):
        return lambda d: d[CONFIG]['payload']['components'][key].update(more)

    def drop(key, name):
        return lambda d: d[CONFIG]['payload']['components'][key].pop(name)

    def state(leaf, text, **more):
        return lambda d: d[STATE + leaf].update(payload=text, **more)

    def rename(topic):
        return lambda d: d.update({topic: d.pop(CONFIG)})

    yield 'no entity is announced', lambda d: d.pop(CONFIG)
    yield 'letters, digits', rename('homeassistant/device/lockhub 9f/config')
    yield 'not retained', lambda d: d[CONFIG].update(retain=False)
    yield 'QoS 0', lambda d: d[CONFIG].update(qos=0)
    yield 'not valid UTF-8 JSON', lambda d: d[CONFIG].update(payload='{"device":')
    yield 'not a JSON object', lambda d: d[CONFIG].update(payload='[1]')
    yield '64 kB', part('lock', name='x' * 70000)
    yield 'unknown root key "~"', root(**{'~': 'lockhub'})
    yield 'unknown root key "name"', root(name='lock')
    yield 'origin is missing', lambda d: d[CONFIG]['payload'].pop('origin')
    yield 'origin has no name', root(origin={'sw_version': '1'})
    yield 'unknown key "url" in origin', root(origin={'name': 'x', 'url': 'y'})
    yield 'device is missing', lambda d: d[CONFIG]['payload'].pop('device')
    yield 'unknown key "serial" in device', device(serial='1')
    yield '"serial_number" in device is not a text', device(serial_number=None)
    yield '"sw_version" in device is not a text', device(sw_version=3)
    yield 'neither identifiers', device(identifiers=[], connections=[])
    yield 'not pairs', device(connections=[['bluetooth']])
    yield 'no known scheme', device(configuration_url='lockhub.local')
    yield 'no components', root(components={})
    yield 'without platform', drop('battery', 'platform')
    yield 'unknown platform', part('battery', platform='valve')
    yield 'unique_id is missing', drop('battery', 'unique_id')
    yield 'is also at', part('battery', unique_id='lockhub_9f3a71c2_fault')
    yield 'not in unique-ids.txt', part('battery', unique_id='lockhub_9f3a71c2_power')
    yield 'was released as binary_sensor', part('battery', unique_id='lockhub_9f3a71c2_door')
    yield 'no qos', drop('door', 'qos')
    yield 'needs "command_topic"', drop('lock', 'command_topic')
    yield 'lock needs "state_topic"', drop('lock', 'state_topic')
    yield 'needs "event_types"', drop('activity', 'event_types')
    yield 'event_types is not a list', part('activity', event_types=[])
    yield 'holds a word twice', part('activity', event_types=['locked', 'locked'])
    yield 'key "statetopic" is not one of', part('door', statetopic='x')
    yield '"icon" is null', part('door', icon=None)
    yield 'only the lock is the main thing', part('door', name=None)
    yield 'device_class "dor"', part('door', device_class='dor')
    yield 'unit "V" does not suit', part('battery', unit_of_measurement='V')
    yield 'unit "None" does not suit', drop('battery', 'unit_of_measurement')
    yield 'state_class does not go', part('last_seen', state_class='measurement')
    yield 'state_class "count"', part('battery', state_class='count')
    yield 'options without', part('battery', options=['a'])
    yield 'enum without options', part('fault', options=[])
    yield 'config is refused', part('battery', entity_category='config')
    yield 'entity_category "debug"', part('battery', entity_category='debug')
    yield 'must not be retained', part('lock', retain=True)
    yield 'optimistic', part('lock', optimistic=True)
    yield 'tojson', part('lock', command_template='{"code":"{{ code }}"}')
    yield 'not bounded', part('lock', code_format='\\d{4}')
    yield 'payload_install go together', part('firmware', command_topic='x/y')
    yield 'clashes', part('fault', availability_topic='lockhub/status')
    yield 'not "all"', root(availability_mode='latest')
    yield 'no availability', lambda d: d[CONFIG]['payload'].pop('availability')
    yield 'belongs to the root', part('door', device={'identifiers': ['x']})
    yield 'nobody has subscribed', part('lock', command_topic='lockhub/9f3a71c2/set')
    yield 'nothing was published', lambda d: d.pop(STATE + 'battery')
    yield 'nothing was published', lambda d: d.pop('lockhub/status')
    yield 'is not retained', state('battery', '87', retain=False)
    yield 'QoS 0', state('lock/state', 'LOCKED', qos=0)
    yield 'neither online', lambda d: d['lockhub/status'].update(payload='on')
    yield 'not a word', state('lock/state', 'locked')
    yield 'not a word', state('lock/state', 'LOCKED ')
    yield 'not a number', state('battery', 'unknown')
    yield 'not within 0 to 100', state('battery', '101')
    yield 'empty means no news', state('battery', '')
    yield 'not an option', state('fault', 'weird')
    yield 'with offset', state('last_seen', '2026-11-22T06:00:00')
    yield 'with offset', state('last_seen', '1795327200')
    yield 'longer than 255', state('last_event', 'x' * 256)
    yield 'not one of ON', state('door', 'open')
    yield 'is not a text', state('firmware', '{"installed_version":null}')
    yield 'unknown key "version"', state('firmware', '{"version":"1"}')
    yield 'drops the attribute', state('lock/attributes', '{"changed_by":"Anna"}')
    yield 'not an object', state('lock/attributes', '[]')
    yield 'event must not be retained', state('event', '{"event_type":"locked"}', retain=True)
    yield 'event_type is not one', state('event', '{"event_type":"melted"}')
    yield 'not JSON', state('event', 'locked')
    yield 'is not below max', part('setting_LockNGoTime', min=60)
    yield 'less than 0.001', part('setting_LockNGoTime', step=0)
    yield 'mode "wheel"', part('setting_LockNGoTime', mode='wheel')
    yield 'unit "V" does not suit', part('setting_LockNGoTime', unit_of_measurement='V')
    yield 'not within 5 to 60', state('setting/LockNGoTime', '0')
    yield 'select without options', part('setting_MotorSpeed', options=[])
    yield 'not an option', state('setting/MotorSpeed', 'insane')
    yield 'min and max', part('setting_NightModeStart', max=256)
    yield 'pattern: ', part('setting_NightModeStart', pattern='(')
    yield 'not of the pattern', state('setting/NightModeStart', '22.30')
    yield 'too short', state('setting/NightModeStart', '9:30')
    yield 'a secret', state('event', '{"event_type":"other","text":"code 004711"}')


def self_test():
    options = {'subscribed': ['lockhub/+/lock/set', 'lockhub/+/setting/+/set'], 'secrets': ['004711']}
    failures = validate(sample(), **options)
    for text in failures:
        print('a good dump is refused: ' + text)
    n = 0
    for expected, spoil in broken_samples():
        dump = copy.deepcopy(sample())
        spoil(dump)
        mistakes = validate(dump, **options)
        n += 1
        if not any(expected in text for text in mistakes):
            failures.append(expected)
            print('not found: "%s"; said instead: %s' % (expected, mistakes))
    single = {'homeassistant/sensor/lockhub_9f3a71c2_battery/config': {
        'retain': True, 'qos': 1, 'payload': {
            'unique_id': 'lockhub_9f3a71c2_battery', 'device_class': 'battery', 'qos': 1,
            'unit_of_measurement': '%', 'state_topic': 'lockhub/9f3a71c2/battery',
            'availability': [{'topic': 'lockhub/status'}],
            'device': {'identifiers': ['lockhub_9f3a71c2']}, 'origin': {'name': 'lockhub'}}}}
    if validate(single, config_only=True):
        failures.append('single form')
        print('a good single message is refused: %s' % validate(single, config_only=True))
    print('%d broken samples, %d failures' % (n, len(failures)))
    return 1 if failures else 0


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('dumps', nargs='*')
    parser.add_argument('--self-test', action='store_true')
    parser.add_argument('--prefix', default='homeassistant')
    parser.add_argument('--config-only', action='store_true')
    parser.add_argument('--subscribed', action='append', default=[])
    parser.add_argument('--secret', action='append', default=[])
    parser.add_argument('--unique-ids')
    options = parser.parse_args(arguments)
    if options.self_test:
        return self_test()
    if not options.dumps:
        parser.print_usage()
        return 2
    n_mistakes = 0
    for path in options.dumps:
        try:
            with open(path, encoding='utf-8') as file:
                dump = json.load(file)
        except (OSError, ValueError) as error:
            print('%s: %s' % (path, error))
            return 2
        for text in validate(dump, options.prefix, options.config_only, options.subscribed,
                             options.secret, options.unique_ids):
            print('%s: %s' % (path, text))
            n_mistakes += 1
    return 1 if n_mistakes else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
