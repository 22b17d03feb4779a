namespace Mesh.Cli.Load;

/// <summary>
/// Sends the requests of a plan at their times, whether or not the server keeps up (an open loop): a slow server meets as many requests as
/// a fast one, and every delay counts from the planned time.
///
/// One thread makes bodies ready, one sends, and answers are read wherever they come in. The run is over when every request has ended;
/// each ends by itself within its time-out.
/// </summary>
internal sealed class LoadRun(LoadOptions options, LoadPlan plan, LoadClient client, LoadRecorder recorder, RunClock clock)
{
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // One for the sender itself, which still adds to it.
    private int _open = 1;

    /// <summary>Runs to the end, or until <paramref name="ended"/>, which cuts what is under way.</summary>
    public async Task RunAsync(CancellationToken ended)
    {
        var ready = new Lookahead(ended);
        var making = Start("mesh load: bodies", () => Make(ready, ended));
        var sending = Start("mesh load: sending", () => Send(ready, ended));
        await making.ConfigureAwait(false);
        await sending.ConfigureAwait(false);
        Close();
        await _allEnded.Task.ConfigureAwait(false);
    }

    private void Make(Lookahead ready, CancellationToken ended)
    {
        try
        {
            var bodies = new RequestBody(options);
            foreach (var request in plan.Requests())
            {
                var (body, length) = bodies.Write(request);
                if (!ready.Put(new ReadyRequest(TimeSpan.FromMilliseconds(request.AtMs), body, length)) || ended.IsCancellationRequested) return;
            }
        }
        finally
        {
            ready.Complete();
        }
    }

    private void Send(Lookahead ready, CancellationToken ended)
    {
        ready.WaitUntilFilled();
        clock.Restart();
        while (ready.TryTake(out var request))
        {
            if (!ExactSleep.Until(request.At, clock, ended)) return;
            if (!recorder.TryBegin())
            {
                recorder.Record(request.At, null, new Outcome(OutcomeKind.NotSent, clock.Now, "--max-in-flight"));
                continue;
            }

            Interlocked.Increment(ref _open);
            // The request is written on this thread; its answer is awaited elsewhere.
            _ = SendOneAsync(request, ended);
        }
    }

    private async Task SendOneAsync(ReadyRequest request, CancellationToken ended)
    {
        var sent = clock.Now;
        try
        {
            var outcome = await client.SendAsync(request.Body, request.Length, ended).ConfigureAwait(false);
            recorder.Record(request.At, sent, outcome);
        }
        catch (Exception e)
        {
            // A mistake in here must not look as if the server had answered well, nor leave the run without an end.
            recorder.Record(request.At, sent, new Outcome(OutcomeKind.Broken, clock.Now, e.GetType().Name));
        }
        finally
        {
            recorder.End();
            Close();
        }
    }

    private void Close()
    {
        if (Interlocked.Decrement(ref _open) == 0) _allEnded.SetResult();
    }

    // Threads of their own: the pool's are busy with answers.
    private static Task Start(string name, Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }) { Name = name, IsBackground = true };
        thread.Start();
        return done.Task;
    }
}
