using Mesh.Core.StepTimes;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// Plays an engine on to its end from a copy of what it has to do, every answer's length known, with nothing new arriving; says which of its
/// requests will be within the target. Decodes between two other happenings are one stride. Cache hits are as of now; preemption is not
/// foreseen: a sequence that finds no blocks waits. Buffers are used again. Not thread-safe.
/// </summary>
internal sealed class EngineForecast(double targetTtftMs, double targetTpotMs, double latencyMs)
{
    private readonly List<Item> _running = [];
    private readonly List<Item> _waiting = [];
    private StepTimeTable? _table;
    private VllmModelOptions? _options;
    private long _freeTokens;
    private double _nowMs;

    /// <summary>Requests within the target; those that have begun to answer long ago count as they will end.</summary>
    public int Good { get; private set; }

    /// <summary>Time from its arrival to its first token of the request that was added; NaN when none was.</summary>
    public double AddedTtftMs { get; private set; }

    /// <summary>Plays on.</summary>
    /// <param name="engine">The engine as it is now.</param>
    /// <param name="onTheirWay">Requests sent that it has not got yet.</param>
    /// <param name="added">A request that would be sent now, or none.</param>
    /// <param name="nowMs">Now.</param>
    public void Play(VllmEngine engine, List<WorldRequest> onTheirWay, WorldRequest? added, double nowMs)
    {
        _options = engine.Options;
        _table = _options.StepTimes;
        _running.Clear();
        _waiting.Clear();
        Good = 0;
        AddedTtftMs = double.NaN;
        _freeTokens = (long)engine.BlocksFree * _options.BlockSize;
        _nowMs = engine.IsStepping ? engine.CurrentStepEndMs : nowMs + latencyMs;
        foreach (var sequence in engine.Scheduler.Running) _running.Add(Item.Of(sequence));
        // What the step under way computes is there at its end.
        for (var i = 0; i < _running.Count; i++) _running[i] = Advance(_running[i], engine.Scheduler.Running[i].Scheduled, added);
        RemoveEnded();
        for (var waiting = engine.Scheduler.Waiting.First; waiting is not null; waiting = waiting.Next) _waiting.Add(Item.Of(waiting, engine));
        foreach (var request in onTheirWay) _waiting.Add(Item.Of(request, engine));
        if (added is not null) _waiting.Add(Item.Of(added, engine));
        while (Step(added))
        {
        }
    }

    private bool Step(WorldRequest? added)
    {
        var budget = _options!.MaxNumBatchedTokens;
        var (prefill, attentionMs, decodes, context) = (0, 0.0, 0, 0L);
        var stride = int.MaxValue;
        for (var i = 0; i < _running.Count; i++)
        {
            var item = _running[i];
            item.Scheduled = Math.Min(item.Left, budget);
            budget -= item.Scheduled;
            if (item.Scheduled == 0) continue;
            if (item.Generated > 0 && item.Left == 1)
            {
                decodes++;
                context += item.Context + 1;
                stride = Math.Min(stride, item.Output - item.Generated);
            }
            else
            {
                prefill += item.Scheduled;
                attentionMs += _table!.ContextAttentionMs(item.Scheduled, item.Context);
            }

            _running[i] = item;
        }

        while (_waiting.Count > 0 && budget > 0 && _running.Count < _options.MaxNumSeqs)
        {
            var item = _waiting[0];
            var tokens = Math.Min(item.Left, budget);
            if (tokens > _freeTokens) break;
            _waiting.RemoveAt(0);
            item.Scheduled = tokens;
            budget -= tokens;
            prefill += tokens;
            attentionMs += _table!.ContextAttentionMs(tokens, item.Context);
            _running.Add(item);
        }

        if (prefill == 0 && decodes == 0) return false;
        // Strides end with the first answer; a waiting one is looked at after each step, for its blocks come free with time.
        if (prefill > 0 || _waiting.Count > 0) stride = 1;
        stride = Math.Max(1, stride);
        // The middle of a stride stands for all of its steps: times are nearly linear in the context.
        var stepMs = _table!.StepMs(prefill, attentionMs, decodes, context + ((long)decodes * (stride - 1) / 2));
        _nowMs += stepMs * stride;
        for (var i = 0; i < _running.Count; i++)
        {
            var item = _running[i];
            if (item.Scheduled > 0) _running[i] = Advance(item, stride == 1 ? item.Scheduled : stride, added);
        }

        RemoveEnded();
        return _running.Count > 0 || _waiting.Count > 0;
    }

    private Item Advance(Item item, int tokens, WorldRequest? added)
    {
        if (tokens == 0) return item;
        _freeTokens -= tokens;
        item.Context += tokens;
        if (item.Generated > 0 && item.Left == 1)
        {
            item.Generated += tokens;
            return item;
        }

        item.Left -= tokens;
        if (item.Left > 0) return item;
        item.Left = 1;
        item.Generated++;
        if (!double.IsNaN(item.FirstMs)) return item;
        item.FirstMs = _nowMs;
        if (item.Request == added) AddedTtftMs = _nowMs + latencyMs - item.Request.ArrivedMs;
        return item;
    }

    private void RemoveEnded()
    {
        var kept = 0;
        for (var i = 0; i < _running.Count; i++)
        {
            var item = _running[i];
            if (item.Generated < item.Output)
            {
                _running[kept++] = item;
                continue;
            }

            _freeTokens += item.Context;
            var tpotMs = item.Output > 1 ? (_nowMs - item.FirstMs) / (item.Output - 1) : 0;
            if (item.FirstMs + latencyMs - item.Request.ArrivedMs <= targetTtftMs && tpotMs <= targetTpotMs) Good++;
        }

        _running.RemoveRange(kept, _running.Count - kept);
    }

    private struct Item
    {
        public WorldRequest Request;
        public int Left;
        public int Context;
        public int Generated;
        public int Output;
        public int Scheduled;
        public double FirstMs;

        public static Item Of(Sequence sequence) => new()
        {
            Request = (WorldRequest)sequence.Request.Tag!,
            Left = sequence.TotalTokens - sequence.Computed,
            Context = sequence.Computed,
            Generated = sequence.Generated,
            Output = sequence.OutputTokens,
            FirstMs = sequence.Generated > 0 ? sequence.FirstTokenMs : double.NaN,
        };

        public static Item Of(Sequence waiting, VllmEngine engine)
        {
            var item = Of(waiting);
            item.Context = Math.Min(KvEvents.CachedTokens(engine, item.Request), item.Left - 1);
            item.Left -= item.Context;
            return item;
        }

        public static Item Of(WorldRequest request, VllmEngine engine)
        {
            var cached = KvEvents.CachedTokens(engine, request);
            return new Item
            {
                Request = request,
                Left = request.PromptTokens - cached,
                Context = cached,
                Output = request.OutputTokens,
                FirstMs = double.NaN,
            };
        }
    }
}
