using System.Buffers;
using System.IO.Pipelines;
using Mesh.Gateway.Limits;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>Reads a request's body once into pooled memory, never more than a limit.</summary>
internal static class BodyReader
{
    private const int FirstRentBytes = 4096;

    /// <param name="request">Request; nothing of its body has been read.</param>
    /// <param name="maxBytes">Largest accepted body.</param>
    /// <param name="budget">Room for all bodies; the body gives its share back when it is released.</param>
    /// <param name="timeout">Time for the whole body.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Client gone or shutdown.</param>
    public static async ValueTask<BodyReadResult> ReadAsync(
        HttpRequest request, int maxBytes, BodyBudget budget, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        // A body that says it is too large is refused unread.
        if (request.ContentLength > maxBytes) return BodyReadResult.Failed(BodyReadFailure.TooLarge);
        var taken = request.ContentLength ?? 0;
        if (!budget.TryTake(taken)) return BodyReadResult.Failed(BodyReadFailure.BuffersFull);
        ITimer? timer = null;
        var array = ArrayPool<byte>.Shared.Rent((int)(request.ContentLength ?? FirstRentBytes));
        var length = 0;
        var kept = false;
        try
        {
            var reader = request.BodyReader;
            while (true)
            {
                var reading = reader.ReadAsync(cancellationToken);
                // Only a body that is waited for can be slow.
                if (!reading.IsCompleted) timer ??= time.CreateTimer(static r => ((PipeReader)r!).CancelPendingRead(), reader, timeout, Timeout.InfiniteTimeSpan);
                var read = await reading;
                if (read.IsCanceled) return BodyReadResult.Failed(BodyReadFailure.TooSlow);
                var count = read.Buffer.Length;
                if (length + count > maxBytes) return BodyReadResult.Failed(BodyReadFailure.TooLarge);
                if (length + count > taken)
                {
                    if (!budget.TryTake(length + count - taken)) return BodyReadResult.Failed(BodyReadFailure.BuffersFull);
                    taken = length + count;
                }

                if (length + count > array.Length)
                {
                    await LargeBodies.LeaveSocketThread(length);
                    array = Grow(array, length, (int)(length + count));
                }

                read.Buffer.CopyTo(array.AsSpan(length));
                length += (int)count;
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }

            kept = true;
            return BodyReadResult.Read(new PooledBody(array, length, budget, taken));
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            return BodyReadResult.Failed(BodyReadFailure.TooSlow);
        }
        catch (BadHttpRequestException e)
        {
            return BodyReadResult.Failed(BodyReadFailure.Malformed, e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return BodyReadResult.Failed(BodyReadFailure.Interrupted);
        }
        finally
        {
            timer?.Dispose();
            if (!kept)
            {
                budget.Return(taken);
                ArrayPool<byte>.Shared.Return(array);
            }
        }
    }

    private static byte[] Grow(byte[] array, int length, int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(needed, 2L * array.Length), Array.MaxLength));
        array.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(array);
        return larger;
    }
}

/// <summary>A body, or why there is none.</summary>
internal readonly record struct BodyReadResult(PooledBody? Body, BodyReadFailure Failure, string? Detail)
{
    public static BodyReadResult Read(PooledBody body) => new(body, BodyReadFailure.None, null);

    public static BodyReadResult Failed(BodyReadFailure failure, string? detail = null) => new(null, failure, detail);
}

/// <summary>Why a body could not be read.</summary>
internal enum BodyReadFailure
{
    /// <summary>It was read.</summary>
    None,

    /// <summary>Larger than the limit.</summary>
    TooLarge,

    /// <summary>The bodies of all requests leave no room for it.</summary>
    BuffersFull,

    /// <summary>Not valid HTTP, or cut short.</summary>
    Malformed,

    /// <summary>It came in too slowly.</summary>
    TooSlow,

    /// <summary>The client left or the gateway stops.</summary>
    Interrupted,
}
