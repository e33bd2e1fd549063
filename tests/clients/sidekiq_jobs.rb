# The jobs of sidekiq_queue.py, loaded by the real Sidekiq and by the process that gives it work:
# `ruby sidekiq_jobs.rb COUNT` enqueues COUNT jobs and a few of every other kind.
require "sidekiq"
require "sidekiq/api"

Sidekiq.configure_server do |config|
  # The poller of due jobs; its usual pace of some seconds would only make the tests slow.
  config.options[:poll_interval_average] = 0.2
end

class Remember
  include Sidekiq::Worker
  sidekiq_options queue: "default"

  def perform(list, word)
    Sidekiq.redis { |connection| connection.rpush(list, word) }
  end
end

class Refuse
  include Sidekiq::Worker
  sidekiq_options queue: "critical", retry: 3

  def perform(reason)
    raise ArgumentError, reason
  end
end

class Sleep
  include Sidekiq::Worker
  sidekiq_options queue: "slow"

  def perform(seconds)
    Sidekiq.redis { |connection| connection.incr("sleepers") }
    sleep seconds
  end
end

if $0 == __FILE__
  Sidekiq.logger.level = Logger::WARN
  count = ARGV[0].to_i
  words = (0...count).map { |number| ["done", number.to_s] }
  Sidekiq::Client.push_bulk("class" => Remember, "args" => words)
  5.times { |number| Remember.set(queue: "critical").perform_async("urgent", number.to_s) }
  Refuse.perform_async("not today")
  Remember.perform_in(0.5, "later", "now")
  Remember.perform_in(3600, "later", "in an hour")
  stats = Sidekiq::Stats.new
  puts "default=#{Sidekiq::Queue.new.size} critical=#{Sidekiq::Queue.new("critical").size} " \
       "enqueued=#{stats.enqueued} scheduled=#{stats.scheduled_size} " \
       "latency=#{Sidekiq::Queue.new.latency >= 0}"
end
