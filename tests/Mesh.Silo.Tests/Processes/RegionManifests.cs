using System.Text;

namespace Mesh.Silo.Tests;

/// <summary>Manifests of one cluster with one pool, for simulated servers on loopback addresses of their own.</summary>
internal static class RegionManifests
{
    public static void Write(string directory, int port, string network)
    {
        var cluster = Directory.CreateDirectory(Path.Combine(directory, "gke-west")).FullName;
        File.WriteAllText(Path.Combine(cluster, "mesh.yaml"), $$"""
            apiVersion: multicluster.x-k8s.io/v1alpha1
            kind: ClusterProfile
            metadata:
              name: gke-west
              namespace: fleet-system
              labels:
                gke.io/region: europe-west3
                gke.io/zone: europe-west3-c
              annotations:
                mesh.internal/config-cluster: "true"
            spec:
              clusterManager:
                name: mesh
              displayName: gke-west
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata:
              name: gateway
              namespace: default
            spec:
              gatewayClassName: gke-l7-cross-regional-internal-managed-mc
              listeners:
                - name: http
                  protocol: HTTP
                  port: 80
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata:
              name: all
              namespace: default
            spec:
              parentRefs:
                - name: gateway
                  kind: Gateway
              rules:
                - backendRefs:
                    - group: networking.gke.io
                      kind: GCPInferencePoolImport
                      name: llama
            ---
            apiVersion: inference.networking.k8s.io/v1
            kind: InferencePool
            metadata:
              name: llama
              namespace: default
              annotations:
                networking.gke.io/export: "True"
            spec:
              selector:
                matchLabels:
                  app: llama
              targetPorts:
                - number: {{port}}
            """);
        var pods = new StringBuilder();
        for (var i = 1; i <= ProcessRegion.Endpoints; i++)
        {
            pods.Append($$"""
                apiVersion: v1
                kind: Pod
                metadata:
                  name: llama-{{i}}
                  namespace: default
                  labels:
                    app: llama
                spec:
                  containers:
                    - name: vllm
                      image: vllm/vllm-openai:latest
                      ports:
                        - name: http
                          containerPort: {{port}}
                status:
                  phase: Running
                  podIP: {{network}}{{i}}
                ---

                """);
        }
        File.WriteAllText(Path.Combine(cluster, "pods.yaml"), pods.ToString());
    }
}
